import { randomBytes } from 'node:crypto';
import {
  type AccessRequest,
  type Admission,
  type Clock,
  type Doorkeeper,
  hasCredentials,
  networkAllows,
  originQuery,
  Refusal,
  type Session,
  type StreamPath,
} from '@sluice/core';
import type { Millis } from '@sluice/media';

/** The parameter of segment URLs that names the session which they belong to. */
export const SESSION_PARAMETER = 'session';

/** A viewer by HLS or DASH that has been let in. */
export interface KnownViewer {
  readonly session: Session;
  /** What its segment URLs carry, so that they are let in without the credential; undefined where the path is open. */
  readonly key: string | undefined;
}

interface Entry extends KnownViewer {
  readonly admission: Admission;
  /** Under which it is known: its key, or who it is by address and agent. */
  readonly names: readonly string[];
  readonly addresses: Set<string>;
  lastSeen: Millis;
  bytes: number;
}

/** A session that was closed because nobody asked for anything: its viewer may have paused. */
interface Dormant {
  readonly session: Session;
  readonly key: string;
  readonly names: readonly string[];
  readonly until: Millis;
}

/** A viewer that has asked for nothing for this long has left. Longer than any sensible playlist's or MPD's pace. */
const GONE_AFTER_MS = 30_000;
/** A paused player may go on within this time with the URLs that it has. */
const DORMANT_MS = 3_600_000;
/** As many of them are remembered; the oldest make room. */
const MAX_DORMANT = 100_000;
const MAX_ADDRESSES = 32;
const SWEEP_MS = 2000;

/**
 * HLS and DASH have no connection that would be a session. One that began with a credential is known by a secret key in its
 * segments' URLs, which every native player sends without knowing; on an open path, where all viewers share the same
 * URLs, a viewer is who asks from one address with one user agent. It lasts until the questions stop.
 */
export class ViewerSessions {
  readonly #entries = new Map<string, Entry>();
  readonly #open = new Set<Entry>();
  readonly #dormant = new Map<string, Dormant>();
  readonly #counts = new Map<StreamPath, number>();
  readonly #gate: Pick<Doorkeeper, 'admit' | 'resume'>;
  readonly #clock: Clock;
  readonly #timer: NodeJS.Timeout;

  constructor(options: { gate: Pick<Doorkeeper, 'admit' | 'resume'>; clock: Clock }) {
    this.#gate = options.gate;
    this.#clock = options.clock;
    this.#timer = setInterval(() => this.sweep(), SWEEP_MS);
    this.#timer.unref();
  }

  countOf(path: StreamPath): number {
    return this.#counts.get(path) ?? 0;
  }

  /**
   * The viewer that asks, who is let in first if not known. Asked for every playlist and every segment.
   *
   * @param key from the URL, where it has one
   * @throws {Refusal} when the gate says no, or a key holds no more
   */
  async enter(request: AccessRequest, key: string | undefined): Promise<KnownViewer> {
    const name = key ?? nameOf(request);
    const known = this.#entries.get(name) ?? this.#entries.get(originNameOf(request));
    if (known !== undefined) return this.#seen(known, request);
    const dormant = this.#dormant.get(name) ?? this.#dormant.get(originNameOf(request));
    if (dormant !== undefined) return this.#wake(dormant, request);
    if (key !== undefined) throw new Refusal('credential-invalid', 'this session is over; ask for the playlist again');
    const admission = await this.#gate.admit(request);
    const { kind } = admission.session.identity;
    const told = kind === 'origin' ? originNameOf(request) : name;
    const meanwhile = this.#entries.get(told);
    if (meanwhile !== undefined) {
      admission.close('the same viewer is known');
      return meanwhile;
    }
    const own = kind === 'anonymous' ? undefined : randomBytes(16).toString('base64url');
    return this.#add(admission, own, own === undefined ? [told] : [told, own]);
  }

  /** Counts what was sent to a viewer. */
  sent(viewer: KnownViewer, bytes: number): void {
    const entry = viewer as Entry;
    entry.bytes += bytes;
  }

  /** Ends a viewer's session. */
  end(viewer: KnownViewer, reason: string): void {
    this.#remove(viewer as Entry, reason);
  }

  /** Ends all sessions. */
  close(reason: string): void {
    clearInterval(this.#timer);
    for (const entry of [...this.#open]) this.#remove(entry, reason);
    this.#dormant.clear();
  }

  /** Lets go of those who have stopped asking. */
  sweep(): void {
    const now = this.#clock.monotonic();
    for (const entry of [...this.#open]) {
      if (now - entry.lastSeen > GONE_AFTER_MS) {
        this.#remove(entry, 'viewer left');
        this.#remember(entry, now);
      }
    }
    for (const dormant of this.#dormant.values()) if (dormant.until <= now) this.#forget(dormant);
  }

  #seen(entry: Entry, request: AccessRequest): KnownViewer {
    checkPlace(entry.session, request);
    entry.lastSeen = this.#clock.monotonic();
    if (entry.addresses.size < MAX_ADDRESSES) entry.addresses.add(request.ip);
    return entry;
  }

  async #wake(dormant: Dormant, request: AccessRequest): Promise<KnownViewer> {
    checkPlace(dormant.session, request);
    const admission = await this.#gate.resume(request, dormant.session);
    const meanwhile = this.#entries.get(dormant.key);
    if (meanwhile !== undefined) {
      admission.close('the same viewer is known');
      return meanwhile;
    }
    this.#forget(dormant);
    return this.#add(admission, dormant.key, dormant.names);
  }

  #add(admission: Admission, key: string | undefined, names: readonly string[]): KnownViewer {
    const { session } = admission;
    const entry: Entry = {
      session,
      key,
      admission,
      names,
      addresses: new Set([session.ip]),
      lastSeen: this.#clock.monotonic(),
      bytes: 0,
    };
    for (const name of names) this.#entries.set(name, entry);
    this.#open.add(entry);
    this.#counts.set(session.path, this.countOf(session.path) + 1);
    admission.bind({
      cut: (reason) => this.#remove(entry, reason),
      traffic: () => ({ received: 0, sent: entry.bytes }),
      addresses: () => [...entry.addresses],
    });
    return entry;
  }

  #remove(entry: Entry, reason: string): void {
    if (!this.#open.delete(entry)) return;
    for (const name of entry.names) if (this.#entries.get(name) === entry) this.#entries.delete(name);
    const { path } = entry.session;
    const left = this.countOf(path) - 1;
    if (left === 0) this.#counts.delete(path);
    else this.#counts.set(path, left);
    entry.admission.close(reason);
  }

  #remember({ session, key, names }: Entry, now: Millis): void {
    if (key === undefined) return;
    const dormant = { session, key, names, until: (now + DORMANT_MS) as Millis };
    for (const name of names) this.#dormant.set(name, dormant);
    const [oldest] = this.#dormant.values();
    if (this.#dormant.size > MAX_DORMANT && oldest !== undefined) this.#forget(oldest);
  }

  #forget(dormant: Dormant): void {
    for (const name of dormant.names) if (this.#dormant.get(name) === dormant) this.#dormant.delete(name);
  }
}

/** A key holds for its own stream, and from the addresses that its credential is bound to. */
function checkPlace({ path, identity }: Session, request: AccessRequest): void {
  if (request.path !== path) throw new Refusal('credential-invalid', 'this session is for another stream');
  if (!networkAllows(identity, request.ip)) {
    throw new Refusal('credential-invalid', `this session doesn't hold from ${request.ip}`);
  }
}

/** Which parameters of a query the origin looks at, nobody here knows: with another one it is another viewer. */
function originNameOf({ ip, path, userAgent, query }: AccessRequest): string {
  return JSON.stringify(['origin', ip, path, userAgent ?? '', originQuery(query.toString())]);
}

/** Neither an address nor a path has a space in it. */
function nameOf({ ip, path, userAgent, credentials }: AccessRequest): string {
  if (!hasCredentials(credentials)) return `${ip} ${path} ${userAgent ?? ''}`;
  return JSON.stringify([ip, path, userAgent ?? '', ...Object.values(credentials)]);
}
