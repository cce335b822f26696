import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.js';
import { Refusal } from '../errors.js';
import type { EventBus } from '../events.js';
import type { Logger } from '../logger.js';
import { parseStreamPath, type StreamPath } from '../stream-path.js';
import type { Session, SessionAction, SessionProtocol } from './session.js';

/** The one question that every door asks, whatever the protocol. */
export interface AccessRequest {
  readonly action: SessionAction;
  readonly protocol: SessionProtocol;
  /** As the client sent it; the gate checks it against the grammar. */
  readonly path: string;
  readonly ip: string;
  readonly userAgent?: string | undefined;
  readonly query: URLSearchParams;
}

/** A granted session, with the means to end its record. */
export interface Admission {
  readonly session: Session;
  /** Says that the session is over, why, and how much media went through it. Later calls do nothing. */
  readonly close: (reason: string, bytes: number) => void;
}

/** How many sessions there may be. */
export interface SessionLimits {
  readonly total: number;
  readonly perStream: number;
  readonly perIp: number;
}

/** Grants sessions and keeps the record of those that are open. */
export class Gate {
  readonly #sessions = new Map<string, Session>();
  readonly #perStream = new Map<StreamPath, number>();
  readonly #perIp = new Map<string, number>();
  readonly #clock: Clock;
  readonly #events: EventBus;
  readonly #limits: () => SessionLimits;
  readonly #log: Logger;

  constructor(options: { clock: Clock; events: EventBus; limits: () => SessionLimits; log: Logger }) {
    this.#clock = options.clock;
    this.#events = options.events;
    this.#limits = options.limits;
    this.#log = options.log;
  }

  /**
   * Passes a request through the chain: name grammar, then limits.
   *
   * @throws {Refusal} with the reason, which is logged here
   */
  async admit(request: AccessRequest): Promise<Admission> {
    try {
      const path = parseStreamPath(request.path);
      this.#checkLimits(path, request.ip);
      return this.#open(request, path);
    } catch (error) {
      if (error instanceof Refusal) {
        const { action, protocol, ip } = request;
        this.#log.warn({ action, protocol, ip, reason: error.code, detail: error.message }, 'request refused');
      }
      throw error;
    }
  }

  /** The open sessions, oldest first. */
  sessions(): IterableIterator<Session> {
    return this.#sessions.values();
  }

  #checkLimits(path: StreamPath, ip: string): void {
    const limits = this.#limits();
    const counts: [string, number, number][] = [
      ['sessions.total', this.#sessions.size, limits.total],
      ['sessions.perStream', this.#perStream.get(path) ?? 0, limits.perStream],
      ['sessions.perIp', this.#perIp.get(ip) ?? 0, limits.perIp],
    ];
    for (const [key, count, limit] of counts) {
      if (count >= limit) throw new Refusal('too-many-sessions', `${count} sessions are open; ${key} is ${limit}`);
    }
  }

  #open(request: AccessRequest, path: StreamPath): Admission {
    const session: Session = {
      id: randomBytes(8).toString('hex'),
      action: request.action,
      protocol: request.protocol,
      path,
      ip: request.ip,
      userAgent: request.userAgent,
      openedAt: this.#clock.wall(),
    };
    this.#sessions.set(session.id, session);
    step(this.#perStream, path, 1);
    step(this.#perIp, session.ip, 1);
    this.#events.emit('session-opened', { session });
    return { session, close: (reason, bytes) => this.#close(session, reason, bytes) };
  }

  #close(session: Session, reason: string, bytes: number): void {
    if (!this.#sessions.delete(session.id)) return;
    step(this.#perStream, session.path, -1);
    step(this.#perIp, session.ip, -1);
    this.#events.emit('session-closed', { session, reason, bytes });
  }
}

function step<K>(counts: Map<K, number>, key: K, by: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
