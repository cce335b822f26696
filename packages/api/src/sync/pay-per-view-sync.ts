import { randomUUID } from 'node:crypto';
import {
  type AuditTrail,
  type BanKind,
  type Bans,
  type Clock,
  type Config,
  type Gate,
  type Logger,
  messageOf,
  type OpenSession,
  parseNetwork,
  plainAddress,
  type SessionsInSight,
} from '@sluice/core';
import type { CallbackClient } from '../callbacks/callback-client.js';
import { type DenyList, readDenyList } from './deny-list.js';
import { type Viewing, viewingReport } from './viewing-report.js';

export type SyncSettings = Config['sync'];

export interface PayPerViewSyncOptions {
  readonly settings: () => SyncSettings;
  readonly client: CallbackClient;
  readonly registry: SessionsInSight;
  /** Whether this is the server of a cluster that reports for all; it is, where it is left out. */
  readonly isElected?: () => boolean;
  readonly bans: Bans;
  readonly gate: Gate;
  readonly audit: AuditTrail;
  readonly clock: Clock;
  readonly log: Logger;
  /** This server's name where `sync.serverId` doesn't say another. */
  readonly hostName: string;
}

const TICK_MS = 250;
/** A sync may take as long as callbacks do by default. */
const TIMEOUT_MS = 5000;
const MAX_ANSWER_BYTES = 1024 * 1024;

/** What was reported of a session before. */
interface Reported {
  /** Wall clock, ms. */
  readonly at: number;
  readonly bytes: number;
}

/** Reports at intervals who watches what, and cuts off those that the answer denies. */
export class PayPerViewSync {
  readonly #options: PayPerViewSyncOptions;
  readonly #timer: NodeJS.Timeout;
  #reported: ReadonlyMap<string, Reported> = new Map();
  #syncedAt: number;
  #running: Promise<void> | undefined;
  #isFailing = false;

  constructor(options: PayPerViewSyncOptions) {
    this.#options = options;
    this.#syncedAt = options.clock.monotonic();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  /** Reports now. One sync at a time; never rejects: one that fails changes nothing, and the next one makes up for it. */
  sync(): Promise<void> {
    this.#running ??= this.#sync().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Stops the timer, and waits for a sync under way. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  #tick(): void {
    const { settings, clock, isElected } = this.#options;
    const { url, intervalSeconds } = settings();
    if (url === undefined || clock.monotonic() - this.#syncedAt < intervalSeconds * 1000) return;
    if (isElected?.() ?? true) void this.sync();
    else this.#follow();
  }

  /** Another server reports. If this one is to some day, it goes on from about there. */
  #follow(): void {
    const { clock } = this.#options;
    this.#syncedAt = clock.monotonic();
    const reported = new Map<string, Reported>();
    for (const open of this.#viewers()) this.#viewingOf(open, clock.wall(), reported);
    this.#reported = reported;
  }

  async #sync(): Promise<void> {
    const { log, clock } = this.#options;
    this.#syncedAt = clock.monotonic();
    try {
      await this.#report();
      if (this.#isFailing) log.info({}, 'sync.url answers again');
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) log.warn({ detail: messageOf(error) }, 'the sync of sessions failed, and is tried again');
      this.#isFailing = true;
    }
  }

  async #report(): Promise<void> {
    const { settings, client, hostName, clock } = this.#options;
    const { url, format, secret, serverId = hostName, denySeconds } = settings();
    if (url === undefined) return;
    const reported = new Map<string, Reported>();
    const viewings = this.#viewers().map((open) => this.#viewingOf(open, clock.wall(), reported));
    const body = viewingReport(viewings, { serverId, puzzle: randomUUID(), secret, format });
    const contentType = format === 'xml' ? 'text/xml; charset=utf-8' : 'application/json';
    const answer = await client.post({
      url,
      body,
      contentType,
      secret,
      timeoutMs: TIMEOUT_MS,
      maxAnswerBytes: MAX_ANSWER_BYTES,
    });
    if (answer.status < 200 || answer.status >= 300) throw new Error(`sync.url answered with status ${answer.status}`);
    const denied = readDenyList(answer.body);
    this.#reported = reported;
    await this.#apply(denied, denySeconds);
  }

  #viewers(): OpenSession[] {
    return [...this.#options.registry.list()].filter(
      ({ session, ending }) =>
        ending === undefined && session.action === 'play' && session.identity.viewer !== undefined,
    );
  }

  #viewingOf(open: OpenSession, now: number, reported: Map<string, Reported>): Viewing {
    const { session } = open;
    const { at, bytes } = this.#reported.get(session.id) ?? { at: session.openedAt, bytes: 0 };
    const { sent } = open.traffic;
    reported.set(session.id, { at: now, bytes: sent });
    return { open, milliseconds: Math.max(0, Math.round(now - at)), bytes: Math.max(0, sent - bytes) };
  }

  /** In force at once; resolves when it would outlive a restart. */
  async #apply(denied: DenyList, denySeconds: number): Promise<void> {
    const { bans, gate, audit, log } = this.#options;
    const seconds = denied.seconds ?? denySeconds;
    const inForce = new Set(
      bans.list().flatMap(({ kind, value, path }) => (path === undefined ? [`${kind} ${value}`] : [])),
    );
    const adding: Promise<unknown>[] = [];
    for (const [kind, value] of this.#wanted(denied)) {
      const target = `${kind} ${value}`;
      if (inForce.has(target)) continue;
      inForce.add(target);
      adding.push(bans.add({ kind, value, seconds, reason: 'denied by sync.url', createdBy: 'sync' }));
      audit.record({ actor: 'system', ip: undefined, action: 'ban.add', target, result: 'ok', detail: 'sync' });
    }
    if (adding.length === 0) return;
    const cut = gate.recheck();
    log.info({ denied: adding.length, cut: cut.length }, 'sync.url denied viewers');
    await Promise.all(adding);
  }

  *#wanted({ viewers, sessions, ips, tokens }: DenyList): Iterable<readonly [BanKind, string]> {
    const { registry, log } = this.#options;
    for (const id of viewers) yield ['viewer', id];
    for (const token of tokens) yield ['token', token];
    for (const id of sessions) {
      const open = registry.get(id);
      if (open !== undefined) yield ['session', open.session.fingerprint];
    }
    for (const ip of ips) {
      if (parseNetwork(ip) === undefined) log.warn({ ip }, 'sync.url denied what is no address and no CIDR block');
      else yield ['ip', plainAddress(ip)];
    }
  }
}
