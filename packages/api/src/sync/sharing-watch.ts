import {
  type AuditTrail,
  type Bans,
  type Clock,
  type Config,
  type EventBus,
  type Logger,
  messageOf,
  type OpenSession,
  type Session,
  type SessionsInSight,
} from '@sluice/core';
import { SharedAccount } from './shared-account.js';

export type SharingSettings = Config['sharing'];

export interface SharingWatchOptions {
  readonly settings: () => SharingSettings;
  readonly registry: SessionsInSight;
  /** Whether this is the server of a cluster that watches for all; it is, where it is left out. */
  readonly isElected?: () => boolean;
  readonly bans: Bans;
  readonly events: EventBus;
  readonly audit: AuditTrail;
  readonly clock: Clock;
  readonly log: Logger;
}

const TICK_MS = 1000;

/** Finds accounts that are watched from too many places at once, and does with them what the policy says. */
export class SharingWatch {
  readonly #options: SharingWatchOptions;
  readonly #accounts = new Map<string, SharedAccount>();
  readonly #reported = new Set<string>();
  readonly #timer: NodeJS.Timeout;
  readonly #stopListening: () => void;

  constructor(options: SharingWatchOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.check(), TICK_MS);
    this.#timer.unref();
    this.#stopListening = options.events.on('session-opened', ({ session }) => {
      const open = options.registry.get(session.id);
      if (open === undefined || this.#isOff()) return;
      const viewer = this.#see(open);
      if (viewer !== undefined) this.#judge(viewer);
    });
  }

  /** Looks at all sessions. Once a second, and when one opens at that one's account. */
  check(): void {
    const { settings, registry, clock } = this.#options;
    const { windowSeconds } = settings();
    if (this.#isOff()) {
      this.#accounts.clear();
      this.#reported.clear();
      return;
    }
    for (const open of registry.list()) this.#see(open);
    const since = clock.wall() - windowSeconds * 1000;
    for (const [viewer, account] of [...this.#accounts]) {
      this.#judge(viewer);
      account.forget(since);
      if (!account.isEmpty) continue;
      this.#accounts.delete(viewer);
      this.#reported.delete(viewer);
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#stopListening();
  }

  #isOff(): boolean {
    const { settings, isElected } = this.#options;
    return settings().policy === 'off' || !(isElected?.() ?? true);
  }

  /** @returns whose session it is, where it counts */
  #see(open: OpenSession): string | undefined {
    const { action, identity } = open.session;
    const { viewer } = identity;
    if (viewer === undefined || action !== 'play' || open.ending !== undefined) return undefined;
    const account = this.#accounts.get(viewer) ?? new SharedAccount();
    this.#accounts.set(viewer, account);
    account.see(open, this.#options.clock.wall());
    return viewer;
  }

  #judge(viewer: string): void {
    const { settings, clock } = this.#options;
    const { policy, maxAddresses, maxUserAgents, windowSeconds } = settings();
    const account = this.#accounts.get(viewer);
    if (account === undefined || policy === 'off') return;
    const since = clock.wall() - windowSeconds * 1000;
    const limits = { addresses: maxAddresses, userAgents: maxUserAgents };
    const found = account.excess(limits, since, policy === 'cut-oldest' ? 'oldest' : 'newest');
    if (found === undefined) {
      this.#reported.delete(viewer);
      return;
    }
    const detail = `${found.addresses} addresses and ${found.userAgents} user agents in ${windowSeconds} s`;
    this.#report(viewer, detail);
    if (policy === 'report') return;
    for (const session of found.sessions) {
      account.drop(session.id);
      this.#cut(session, viewer, detail, windowSeconds);
    }
  }

  #report(viewer: string, detail: string): void {
    if (this.#reported.has(viewer)) return;
    this.#reported.add(viewer);
    const { log, audit } = this.#options;
    log.warn({ viewer, detail }, 'an account is shared');
    audit.record({ actor: 'system', ip: undefined, action: 'account.shared', target: viewer, result: 'ok', detail });
  }

  #cut({ id, fingerprint, ip }: Session, viewer: string, detail: string, seconds: number): void {
    const { registry, bans, audit, log } = this.#options;
    if (!registry.cut(id, 'the account is shared')) return;
    const reason = 'the account is shared';
    bans.add({ kind: 'session', value: fingerprint, seconds, reason, createdBy: 'sharing' }).catch((error) => {
      log.error({ detail: messageOf(error) }, 'a ban could not be kept');
    });
    const about = `${viewer}: ${detail}`;
    audit.record({ actor: 'system', ip, action: 'session.kick', target: id, result: 'ok', detail: about });
  }
}
