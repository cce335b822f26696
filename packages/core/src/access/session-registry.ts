import type { Clock } from '../clock.js';
import { Refusal } from '../errors.js';
import type { Session, SessionControl, Traffic, TransportFigures } from './session.js';
import { type SessionCounts, SessionTally } from './session-tally.js';

/** How many sessions there may be. */
export interface SessionLimits {
  readonly total: number;
  readonly perStream: number;
  readonly perIp: number;
  /** Of one viewer id, at a time. */
  readonly perViewer: number;
}

/** A session under way, as those see it who watch over them. */
export interface OpenSession {
  readonly session: Session;
  readonly traffic: Traffic;
  /** Every address that has used it, the one that opened it first. */
  readonly addresses: readonly string[];
  /** What its protocol tells of the line; undefined where it tells nothing. */
  readonly transport: TransportFigures | undefined;
  /** Why it is being ended, from the moment that it is. */
  readonly ending: string | undefined;
  /** Asks its peer to go on at another server, where its protocol has a word for that. */
  move(baseUrl: string | undefined, reason: string): void;
}

/** Sessions that somebody watches over: this server's, or those of its whole cluster. */
export type SessionsInSight = Pick<SessionRegistry, 'list' | 'get' | 'cut'>;

const NOTHING_ELSEWHERE: SessionCounts = { size: 0, ofStream: () => 0, ofIp: () => 0, ofViewer: () => 0 };

const NO_TRAFFIC: Traffic = { received: 0, sent: 0 };

class Entry implements OpenSession {
  readonly session: Session;
  control: SessionControl | undefined;
  ending: string | undefined;

  constructor(session: Session) {
    this.session = session;
  }

  get traffic(): Traffic {
    return this.control?.traffic() ?? NO_TRAFFIC;
  }

  get transport(): TransportFigures | undefined {
    return this.control?.transport?.();
  }

  move(baseUrl: string | undefined, reason: string): void {
    this.control?.move?.(baseUrl, reason);
  }

  get addresses(): readonly string[] {
    return this.control?.addresses?.() ?? [this.session.ip];
  }
}

/** The sessions under way: counts them against the limits, and ends those that have to go. */
export class SessionRegistry extends SessionTally {
  readonly #entries = new Map<string, Entry>();
  readonly #clock: Clock;
  readonly #limits: () => SessionLimits;
  readonly #elsewhere: SessionCounts;

  /** @param options.elsewhere sessions that count here, too: those of the other nodes of a cluster */
  constructor(options: { clock: Clock; limits: () => SessionLimits; elsewhere?: SessionCounts }) {
    super();
    this.#clock = options.clock;
    this.#limits = options.limits;
    this.#elsewhere = options.elsewhere ?? NOTHING_ELSEWHERE;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Oldest first. */
  *list(): IterableIterator<OpenSession> {
    yield* this.#entries.values();
  }

  get(id: string): OpenSession | undefined {
    return this.#entries.get(id);
  }

  /**
   * Counts a session in. Check and count are one step, so that no number of requests at once gets past a limit.
   *
   * @throws {Refusal} `too-many-sessions`
   */
  open(session: Session): void {
    this.#checkLimits(session);
    this.#entries.set(session.id, new Entry(session));
    this.count(session, 1);
  }

  /** Gives the hold on a session. One that was ended meanwhile is cut at once. */
  bind(id: string, control: SessionControl): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    entry.control = control;
    if (entry.ending !== undefined) control.cut(entry.ending);
  }

  /** Ends a session's connection. @returns false where there is no such session */
  cut(id: string, reason: string): boolean {
    const entry = this.#entries.get(id);
    if (entry === undefined) return false;
    if (entry.ending !== undefined) return true;
    entry.ending = reason;
    entry.control?.cut(reason);
    return true;
  }

  /** Ends all sessions for which there is a reason to. @returns those that were ended */
  cutWhere(reasonFor: (open: OpenSession) => string | undefined): Session[] {
    const cut: Session[] = [];
    for (const entry of [...this.#entries.values()]) {
      const reason = entry.ending === undefined ? reasonFor(entry) : undefined;
      if (reason === undefined) continue;
      cut.push(entry.session);
      this.cut(entry.session.id, reason);
    }
    return cut;
  }

  /** Ends what has run out. Called about once a second. */
  sweep(): void {
    const now = this.#clock.wall();
    for (const { session, ending } of [...this.#entries.values()]) {
      const { expiresAt } = session.identity;
      if (ending === undefined && expiresAt !== undefined && expiresAt <= now) {
        this.cut(session.id, 'the credential has expired');
      }
    }
  }

  /** Counts a session out. @returns its last figures, or undefined where it was closed before */
  close(id: string): OpenSession | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined) return undefined;
    this.#entries.delete(id);
    this.count(entry.session, -1);
    return entry;
  }

  #checkLimits({ path, ip, identity }: Session): void {
    const limits = this.#limits();
    const elsewhere = this.#elsewhere;
    check('sessions.total', this.#entries.size + elsewhere.size, limits.total);
    check('sessions.perStream', this.ofStream(path) + elsewhere.ofStream(path), limits.perStream);
    check('sessions.perIp', this.ofIp(ip) + elsewhere.ofIp(ip), limits.perIp);
    const { viewer } = identity;
    if (viewer === undefined) return;
    const ofViewer = this.ofViewer(viewer) + elsewhere.ofViewer(viewer);
    check('sessions.perViewer', ofViewer, limits.perViewer);
  }
}

function check(key: string, count: number, limit: number): void {
  if (count >= limit) throw new Refusal('too-many-sessions', `${count} sessions are open; ${key} is ${limit}`);
}
