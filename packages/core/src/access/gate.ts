import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '../clock.js';
import type { AccessMode, AccessSettings } from '../config/schema.js';
import { messageOf, Refusal } from '../errors.js';
import type { EventBus } from '../events.js';
import type { Logger } from '../logger.js';
import { parseStreamPath, type StreamPath } from '../stream-path.js';
import type { Ban, BanSubject, Bans } from './bans.js';
import type { CheckedRequest, CredentialChecks } from './credentials/credential-check.js';
import { hasCredentials } from './credentials/credentials.js';
import type { Doorkeeper } from './doorkeeper.js';
import { isLocalAddress } from './network.js';
import { type NetworkRule, NetworkRules } from './network-rules.js';
import type { AccessAction, AccessRequest } from './request.js';
import type { Identity, Session, SessionControl } from './session.js';
import type { SessionRegistry } from './session-registry.js';

/** A granted session, with the means to serve it. */
export interface Admission {
  readonly session: Session;
  /** Gives the gate its hold on the session. One that was ended meanwhile is cut at once. */
  bind(control: SessionControl): void;
  /** Says that the session is over, and why. Later calls do nothing. */
  close(reason: string): void;
}

/** Somebody outside who has a say in who is let in: an HTTP callback. */
export interface AccessAdvisor {
  /** @throws {Refusal} `callback-refused` or `callback-failed` */
  ask(prospect: Session): Promise<void>;
  /** Takes note that a session that it agreed to was refused after all, by somebody else: it never opens. */
  withdraw?(prospect: Session): void;
}

export interface GateOptions {
  readonly clock: Clock;
  readonly events: EventBus;
  readonly log: Logger;
  readonly registry: SessionRegistry;
  readonly settingsFor: (path: StreamPath) => AccessSettings;
  /** What a rendition is made of: who may watch the one may watch the other. Undefined for all other paths. */
  readonly sourceOf?: (path: StreamPath) => StreamPath | undefined;
  /** Who may ask the control plane anything. */
  readonly adminRule: () => NetworkRule;
  readonly bans: Bans;
  readonly credentials: CredentialChecks;
  readonly advisors: readonly AccessAdvisor[];
  /** Why nobody is let in at the moment who would be at other times. */
  readonly refusalOf?: (request: AccessRequest) => Refusal | undefined;
}

const ANONYMOUS: Identity = { kind: 'anonymous' };
const CONFIGURATION: Identity = { kind: 'configuration' };

const SWEEP_MS = 500;
const PRUNE_MS = 3_600_000;

/** The one chain that every request passes, whatever its protocol, and the end of those that it no longer lets be. */
export class Gate implements Doorkeeper {
  readonly #options: GateOptions;
  readonly #networks = new NetworkRules();
  readonly #timers: readonly NodeJS.Timeout[];

  constructor(options: GateOptions) {
    this.#options = options;
    this.#timers = [
      setInterval(() => options.registry.sweep(), SWEEP_MS),
      setInterval(() => void this.#pruneBans(), PRUNE_MS),
    ];
    for (const timer of this.#timers) timer.unref();
  }

  /**
   * Passes a request through the chain: name grammar, address rules, bans, credentials, callbacks, limits.
   *
   * @throws {Refusal} with the reason, which is logged here
   */
  async admit(request: AccessRequest): Promise<Admission> {
    return this.#reporting(request, async () => {
      const session = await this.#prospect(request);
      return this.#admitted(session);
    });
  }

  async inspect(request: AccessRequest): Promise<Identity> {
    return this.#reporting(request, async () => (await this.#prospect(request)).identity);
  }

  /**
   * Opens a session again for somebody who had one and was away: an HLS player that was paused. The credential isn't
   * asked for once more, because its time to begin may be over while the right that it gave is not.
   *
   * @throws {Refusal} with the reason, which is logged here
   */
  async resume(request: AccessRequest, { identity }: Session): Promise<Admission> {
    return this.#reporting(request, async () => {
      const checked = { ...request, path: parseStreamPath(request.path) };
      this.#checkService(request);
      if (identity.expiresAt !== undefined && identity.expiresAt <= this.#options.clock.wall()) {
        throw new Refusal('credential-expired', 'the credential has expired');
      }
      const session = this.#sessionOf(checked, identity);
      const reason = this.#reasonAgainst(session, request.ip);
      if (reason !== undefined) throw new Refusal('banned', reason);
      return this.#admitted(session);
    });
  }

  /** Whether anybody at an address may do something with a path without showing a credential. Asks nobody outside. */
  isOpenTo(action: AccessAction, path: StreamPath, ip: string): boolean {
    const settings = this.#options.settingsFor(path);
    const mode = modeOf(settings, action);
    if (mode !== 'open' && !(mode === 'local' && isLocalAddress(ip))) return false;
    return this.#networks.allows(networkRuleOf(settings, action), ip) && !this.#banOf({ path, ip });
  }

  /**
   * Whether the control plane may be asked at all from an address. Who asks, and what they may do, it finds out itself.
   *
   * @throws {Refusal} `address-denied` or `banned`, which is logged here
   */
  checkAdmin(request: AccessRequest): void {
    try {
      this.#networks.check(this.#options.adminRule(), request.ip);
      this.#checkBans({ ip: request.ip, path: undefined });
    } catch (error) {
      this.#report(request, error);
      throw error;
    }
  }

  /** Ends the sessions that would not be let in any more: after a ban, a revoked key, a change of rules. */
  recheck(): Session[] {
    return this.#options.registry.cutWhere(({ session, addresses }) => {
      if (session.identity.kind === 'configuration') return undefined;
      for (const ip of addresses) {
        const reason = this.#reasonAgainst(session, ip);
        if (reason !== undefined) return reason;
      }
      return undefined;
    });
  }

  /** Stops the timer; sessions are ended by those who serve them. */
  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  /** Bans that have run out hold no more; this only forgets them. */
  async #pruneBans(): Promise<void> {
    try {
      await this.#options.bans.prune();
    } catch (error) {
      this.#options.log.error({ detail: messageOf(error) }, 'bans that have run out could not be forgotten');
    }
  }

  async #reporting<T>(request: AccessRequest, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      this.#report(request, error);
      throw error;
    }
  }

  #report(request: AccessRequest, error: unknown): void {
    if (!(error instanceof Refusal)) return;
    const { action, protocol, ip } = request;
    this.#options.log.warn({ action, protocol, ip, reason: error.code, detail: error.message }, 'request refused');
    this.#options.events.emit('request-refused', { request, reason: error.code });
  }

  async #admitted(session: Session): Promise<Admission> {
    const agreed: AccessAdvisor[] = [];
    try {
      for (const advisor of this.#options.advisors) {
        await advisor.ask(session);
        agreed.push(advisor);
      }
      // Callbacks take their time, and whoever is banned meanwhile stays out.
      this.#checkBans(session);
      return this.#open(session);
    } catch (error) {
      for (const advisor of agreed) advisor.withdraw?.(session);
      throw error;
    }
  }

  async #prospect(request: AccessRequest): Promise<Session> {
    const path = parseStreamPath(request.path);
    const checked = { ...request, path };
    this.#checkService(request);
    const source = this.#options.sourceOf?.(path);
    if (source !== undefined && request.action === 'publish' && request.protocol !== 'transcode') {
      throw new Refusal('closed', `${path} is a rendition of ${source}: the server publishes it; publish ${source}`);
    }
    const settings = this.#options.settingsFor(path);
    if (!request.byConfiguration) this.#networks.check(networkRuleOf(settings, request.action), request.ip);
    this.#checkBans(checked);
    const identity = await this.#identify({ ...checked, path: source ?? path }, modeOf(settings, request.action));
    const session = this.#sessionOf(checked, identity);
    this.#checkBans(session);
    return session;
  }

  /** A path that is open takes a good credential as a name, and doesn't mind a bad one. */
  async #identify(request: CheckedRequest, mode: AccessMode): Promise<Identity> {
    if (request.byConfiguration) return CONFIGURATION;
    if (mode === 'closed') throw new Refusal('closed', `${request.path} is closed: nobody may ${request.action} it`);
    const isOpen = mode === 'open' || (mode === 'local' && isLocalAddress(request.ip));
    if (isOpen && !hasCredentials(request.credentials)) return ANONYMOUS;
    try {
      return await this.#options.credentials.verify(request);
    } catch (error) {
      if (isOpen && error instanceof Refusal) return ANONYMOUS;
      throw error;
    }
  }

  #sessionOf(request: CheckedRequest, identity: Identity): Session {
    const { action, protocol, path, ip, userAgent, client, query } = request;
    return {
      id: randomBytes(8).toString('hex'),
      action,
      protocol,
      path,
      ip,
      userAgent,
      identity,
      client: client ?? {},
      query: query.toString(),
      fingerprint: fingerprintOf({ ...request, path: this.#options.sourceOf?.(path) ?? path }, identity),
      openedAt: this.#options.clock.wall(),
    };
  }

  #open(session: Session): Admission {
    const { registry, events } = this.#options;
    registry.open(session);
    events.emit('session-opened', { session });
    return {
      session,
      bind: (control) => registry.bind(session.id, control),
      close: (reason) => {
        const closed = registry.close(session.id);
        if (closed === undefined) return;
        events.emit('session-closed', { session, reason: closed.ending ?? reason, traffic: closed.traffic });
      },
    };
  }

  #checkService(request: AccessRequest): void {
    const refusal = this.#options.refusalOf?.(request);
    if (refusal !== undefined) throw refusal;
  }

  #checkBans(subject: BanSubject): void {
    const ban = this.#banOf(subject);
    if (ban !== undefined) throw new Refusal('banned', `banned: ${ban.reason}`);
  }

  /** Bans from a stream are bans from its renditions. */
  #banOf(subject: BanSubject): Ban | undefined {
    const { bans, sourceOf } = this.#options;
    const source = subject.path && sourceOf?.(subject.path);
    return bans.find(subject) ?? (source && bans.find({ ...subject, path: source }));
  }

  /** Why a session that was granted would not be any more. */
  #reasonAgainst(session: Session, ip: string): string | undefined {
    const { path, action, identity } = session;
    if (!this.#options.credentials.stillHolds(identity)) return 'its credential was revoked';
    const ban = this.#banOf({ ...session, ip });
    if (ban !== undefined) return `banned: ${ban.reason}`;
    const settings = this.#options.settingsFor(path);
    const mode = modeOf(settings, action);
    if (mode === 'closed') return 'the path is closed';
    const needsCredential = mode === 'credential' || (mode === 'local' && !isLocalAddress(ip));
    if (needsCredential && identity.kind === 'anonymous') return 'the path needs a credential';
    if (!this.#networks.allows(networkRuleOf(settings, action), ip)) return `${ip} may not ${action} this path`;
    return undefined;
  }
}

function networkRuleOf(settings: AccessSettings, action: AccessAction) {
  return action === 'play'
    ? { allow: settings.playAllow, deny: settings.playDeny }
    : { allow: settings.publishAllow, deny: settings.publishDeny };
}

function modeOf(settings: AccessSettings, action: AccessAction): AccessMode {
  return action === 'play' ? settings.play : settings.publish;
}

/** The same for every try of one device at one stream with one credential. */
function fingerprintOf({ action, path, ip, userAgent }: CheckedRequest, { credential }: Identity): string {
  const parts = [action, path, ip, userAgent ?? '', credential ?? ''];
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 16);
}
