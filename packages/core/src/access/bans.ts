import { randomBytes } from 'node:crypto';
import type { Millis } from '@sluice/media';
import type { Clock } from '../clock.js';
import { pathFits } from '../path-pattern.js';
import type { RecordStore } from '../record-store.js';
import type { RecordListener, SharedRecords } from '../shared-records.js';
import type { StreamPath } from '../stream-path.js';
import { isSingleAddress, NetworkSet, plainAddress } from './network.js';
import type { Session } from './session.js';

/**
 * What a ban goes by: one device's tries at one stream (`session`, a session's fingerprint), an account (`viewer`), a
 * credential (`token`, as sessions name it), or an address or CIDR block (`ip`).
 */
export type BanKind = 'session' | 'viewer' | 'token' | 'ip';

export interface Ban {
  readonly id: string;
  readonly kind: BanKind;
  readonly value: string;
  /** A pattern of stream paths; undefined for all of them. */
  readonly path?: string | undefined;
  readonly reason: string;
  readonly createdBy: string;
  readonly createdAt: Millis;
  /** Wall clock; undefined for ever. */
  readonly expiresAt?: Millis | undefined;
}

export type NewBan = Pick<Ban, 'kind' | 'value' | 'path' | 'reason' | 'createdBy'> & {
  /** Time to live; undefined for ever. */
  readonly seconds?: number | undefined;
};

/** What of a session or a request bans are looked up by. */
export type BanSubject = Pick<Session, 'ip'> &
  Partial<Pick<Session, 'fingerprint' | 'identity'>> & {
    /** Undefined where no stream is asked for; bans on some paths don't hold then. */
    readonly path: StreamPath | undefined;
  };

/** Who is not let in, and until when. */
export class Bans implements SharedRecords<Ban> {
  readonly #byId = new Map<string, Ban>();
  /** `kind value` → bans. CIDR blocks are not in here. */
  readonly #exact = new Map<string, Set<Ban>>();
  readonly #blocks = new Map<Ban, NetworkSet>();
  readonly #store: RecordStore<Ban>;
  readonly #listeners = new Set<RecordListener<Ban>>();
  readonly #clock: Clock;

  private constructor(store: RecordStore<Ban>, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  static async load(store: RecordStore<Ban>, clock: Clock): Promise<Bans> {
    const bans = new Bans(store, clock);
    for (const ban of await store.load()) bans.#index(ban);
    return bans;
  }

  /** In force at once; resolves when it would outlive a restart. */
  async add(wanted: NewBan): Promise<Ban> {
    const createdAt = this.#clock.wall();
    const { kind, path, reason, createdBy, seconds } = wanted;
    const ban: Ban = {
      id: randomBytes(8).toString('hex'),
      kind,
      value: kind === 'ip' ? plainAddress(wanted.value) : wanted.value,
      path,
      reason,
      createdBy,
      createdAt,
      expiresAt: seconds === undefined ? undefined : ((createdAt + seconds * 1000) as Millis),
    };
    this.#index(ban);
    this.#tell(ban.id, ban);
    await this.#store.put(ban);
    return ban;
  }

  /** @returns the ban that was lifted */
  async remove(id: string): Promise<Ban | undefined> {
    const ban = this.#byId.get(id);
    if (ban === undefined) return undefined;
    this.#forget(ban);
    this.#tell(id, undefined);
    await this.#store.delete(id);
    return ban;
  }

  onChange(listener: RecordListener<Ban>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** One that has run out is not taken over. */
  async adopt(id: string, ban: Ban | undefined): Promise<void> {
    const known = this.#byId.get(id);
    if (known !== undefined) this.#forget(known);
    if (ban !== undefined && isInForce(ban, this.#clock.wall())) {
      this.#index(ban);
      await this.#store.put(ban);
    } else if (known !== undefined) await this.#store.delete(id);
  }

  /** Those in force, oldest first. */
  list(): Ban[] {
    const now = this.#clock.wall();
    return [...this.#byId.values()].filter((ban) => isInForce(ban, now));
  }

  get(id: string): Ban | undefined {
    return this.#byId.get(id);
  }

  /** A ban that holds for what is asked. */
  find(subject: BanSubject): Ban | undefined {
    if (this.#byId.size === 0) return undefined;
    const { ip, path, fingerprint, identity } = subject;
    const now = this.#clock.wall();
    const holds = (ban: Ban): boolean =>
      isInForce(ban, now) && (ban.path === undefined || (path !== undefined && pathFits(ban.path, path)));
    const found =
      this.#firstExact('ip', ip, holds) ??
      this.#firstExact('session', fingerprint, holds) ??
      this.#firstExact('viewer', identity?.viewer, holds) ??
      this.#firstExact('token', identity?.credential, holds);
    if (found !== undefined) return found;
    for (const [ban, block] of this.#blocks) if (holds(ban) && block.has(ip)) return ban;
    return undefined;
  }

  /** Forgets what has run out. */
  async prune(): Promise<void> {
    const now = this.#clock.wall();
    const over = [...this.#byId.values()].filter((ban) => !isInForce(ban, now));
    for (const ban of over) this.#forget(ban);
    await Promise.all(over.map((ban) => this.#store.delete(ban.id)));
  }

  #firstExact(kind: BanKind, value: string | undefined, holds: (ban: Ban) => boolean): Ban | undefined {
    if (value === undefined) return undefined;
    for (const ban of this.#exact.get(`${kind} ${value}`) ?? []) if (holds(ban)) return ban;
    return undefined;
  }

  #tell(id: string, ban: Ban | undefined): void {
    for (const listener of this.#listeners) listener(id, ban);
  }

  #index(ban: Ban): void {
    this.#byId.set(ban.id, ban);
    if (ban.kind === 'ip' && !isSingleAddress(ban.value)) {
      this.#blocks.set(ban, new NetworkSet([ban.value]));
      return;
    }
    const key = `${ban.kind} ${ban.value}`;
    const known = this.#exact.get(key) ?? new Set();
    this.#exact.set(key, known.add(ban));
  }

  #forget(ban: Ban): void {
    this.#byId.delete(ban.id);
    this.#blocks.delete(ban);
    const key = `${ban.kind} ${ban.value}`;
    const known = this.#exact.get(key);
    known?.delete(ban);
    if (known?.size === 0) this.#exact.delete(key);
  }
}

function isInForce(ban: Ban, now: Millis): boolean {
  return ban.expiresAt === undefined || ban.expiresAt > now;
}
