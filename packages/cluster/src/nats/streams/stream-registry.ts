import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import type { KV, KvWatchEntry } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/transport-node';
import { type Clock, type Logger, messageOf, type RenditionInfo, type Session, type StreamPath } from '@sluice/core';
import type { Millis } from '@sluice/media';
import type { NatsLink, NatsUser } from '../connection.js';
import { nameOf, tokenOf } from '../names.js';
import { decodeEntry, encodeEntry, type RegisteredState, type RegisteredStream } from './stream-entry.js';

export interface StreamRegistryOptions {
  readonly link: NatsLink;
  readonly namespace: string;
  /** This node's name. */
  readonly node: string;
  /** A stream whose node hasn't been heard of for so long is nobody's. */
  readonly leaseMs: number;
  /** Copies of the bucket, where it isn't there yet. */
  readonly replicas: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** What others can have of a stream of this node. */
  readonly renditionsOf: (path: StreamPath) => readonly RenditionInfo[];
  /** What is known of a path of another node has changed: it has come, is another one, or has gone. */
  readonly onChange: (path: StreamPath) => void;
  /** A path that this node published is another node's: the publisher has to go. */
  readonly onLost: (path: StreamPath, session: Session, to: RegisteredStream) => void;
}

/** How a publication stands to one of the same path at another node. */
export interface Claim {
  readonly session: Session;
  /** The path's policy is that who comes later takes over. */
  readonly mayReplace: boolean;
}

/** A path that this node publishes. */
interface Held {
  readonly epoch: string;
  readonly startedAt: Millis;
  session: Session;
  state: RegisteredState;
  /** Whether it may take the path from another node: it came while that was known, and not while NATS was gone. */
  mayReplace: boolean;
  /** Of its entry; undefined as long as it has none. */
  revision: number | undefined;
  isWriting: boolean;
  /** Something has changed since it was written. */
  isStale: boolean;
}

/** What another node publishes. */
interface Known {
  readonly entry: RegisteredStream;
  revision: number;
  /**
   * How often it has been looked for something new of it, in vain. It isn't time that counts: this process may not have
   * come to read for a while.
   */
  missed: number;
}

/** An entry is renewed so many times before it would run out. */
const RENEWALS = 3;
/** What isn't renewed is believed in for so many renewals, one of which may be late, and one just coming. */
const PATIENCE = RENEWALS + 1;
const RETRY_MS = 500;
const LONGEST_RETRY_MS = 10_000;
/** Nodes that write at once try again so often. */
const MOST_TRIES = 5;

/**
 * Who publishes what, in the whole cluster: a JetStream bucket with an entry for each path, which is there as long as its
 * node renews it. Two nodes that publish the same path are told apart by the entry's revision: who has written the
 * newest one has it, and the other is told to let go.
 *
 * Without NATS everything is granted, and is set right when it is back: what is in the bucket by then is right.
 */
export class StreamRegistry implements NatsUser {
  readonly #options: StreamRegistryOptions;
  readonly #held = new Map<StreamPath, Held>();
  readonly #known = new Map<StreamPath, Known>();
  readonly #timer: NodeJS.Timeout;
  readonly #stopUsing: () => void;
  #bucket: KV | undefined;
  #attendance: AbortController | undefined;

  constructor(options: StreamRegistryOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#tick(), options.leaseMs / RENEWALS);
    this.#timer.unref();
    this.#stopUsing = options.link.use(this);
  }

  /** The stream of a path, where another node publishes it. */
  elsewhere(path: StreamPath): RegisteredStream | undefined {
    return this.#held.has(path) ? undefined : this.#known.get(path)?.entry;
  }

  /** The epoch of a path that this node publishes. */
  epochOf(path: StreamPath): string | undefined {
    return this.#held.get(path)?.epoch;
  }

  /** This node publishes a path, or another publisher of this node does. */
  claim(path: StreamPath, { session, mayReplace }: Claim): void {
    const held = this.#held.get(path);
    if (held !== undefined) {
      Object.assign(held, { session, state: 'live', isStale: true });
      void this.#write(path, held);
      return;
    }
    const made: Held = {
      ...{ epoch: randomUUID(), startedAt: this.#options.clock.wall(), session, state: 'live' },
      ...{ mayReplace: mayReplace && this.#bucket !== undefined, revision: undefined, isWriting: false, isStale: true },
    };
    this.#held.set(path, made);
    void this.#write(path, made);
  }

  /** The encoder is gone, and may come back, here or elsewhere. */
  pause(path: StreamPath): void {
    const held = this.#held.get(path);
    if (held === undefined) return;
    Object.assign(held, { state: 'waiting', isStale: true });
    void this.#write(path, held);
  }

  /** The stream is over. */
  release(path: StreamPath): void {
    const held = this.#held.get(path);
    if (held === undefined) return;
    this.#held.delete(path);
    void this.#erase(path, held);
  }

  up(connection: NatsConnection): void {
    this.#attendance?.abort();
    this.#attendance = new AbortController();
    void this.#attend(connection, this.#attendance.signal);
  }

  down(): void {
    this.#attendance?.abort();
    this.#bucket = undefined;
  }

  /** Takes this node's entries out, as far as there is a connection. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopUsing();
    const held = [...this.#held];
    this.#held.clear();
    await Promise.all(held.map(([path, entry]) => this.#erase(path, entry)));
    this.down();
  }

  /** As long as the connection is up: opens the bucket, and follows it. */
  async #attend(connection: NatsConnection, signal: AbortSignal): Promise<void> {
    const { namespace, leaseMs, replicas, log } = this.#options;
    let retryMs = RETRY_MS;
    while (!signal.aborted) {
      try {
        const limits = { ttl: leaseMs, storage: 'memory', replicas, history: 1 } as const;
        const bucket = await this.#options.link.buckets(connection).create(`${namespace}-streams`, limits);
        const watch = await bucket.watch();
        if (signal.aborted) {
          watch.stop();
          return;
        }
        signal.addEventListener('abort', () => watch.stop());
        this.#bucket = bucket;
        // A NATS server that was started anew has an empty bucket, and counts from 1 again.
        for (const known of this.#known.values()) known.revision = 0;
        retryMs = RETRY_MS;
        this.#renew();
        for await (const entry of watch) this.#see(entry);
      } catch (error) {
        if (signal.aborted) return;
        const hint = 'NATS needs JetStream (`jetstream {}` in its configuration), and this account the right to use it';
        log.warn({ detail: messageOf(error), hint }, "the cluster's streams can't be seen: trying again");
      }
      if (signal.aborted) return;
      this.#bucket = undefined;
      await pause(retryMs, undefined, { signal }).catch(() => undefined);
      retryMs = Math.min(LONGEST_RETRY_MS, retryMs * 2);
    }
  }

  #see({ key, operation, value, revision }: Pick<KvWatchEntry, 'key' | 'operation' | 'value' | 'revision'>): void {
    const { node, log, onChange } = this.#options;
    let entry: RegisteredStream;
    const path = nameOf(key) as StreamPath;
    const known = this.#known.get(path);
    if (known !== undefined && revision < known.revision) return;
    if (operation !== 'PUT') {
      if (this.#known.delete(path)) onChange(path);
      return;
    }
    try {
      entry = decodeEntry(path, Buffer.from(value).toString());
    } catch (error) {
      log.warn({ key, detail: messageOf(error) }, 'an entry of the cluster that no node of this version has written');
      return;
    }
    if (entry.node === node) {
      this.#known.delete(path);
      return;
    }
    this.#known.set(path, { entry, revision, missed: 0 });
    const held = this.#held.get(path);
    if (held?.revision !== undefined && revision > held.revision) this.#lose(path, held, entry);
    const before = known?.entry;
    if (before?.epoch !== entry.epoch || before.state !== entry.state) onChange(path);
  }

  #tick(): void {
    for (const [path, known] of this.#known) {
      known.missed += 1;
      if (known.missed <= PATIENCE) continue;
      this.#known.delete(path);
      this.#options.onChange(path);
    }
    this.#renew();
  }

  #renew(): void {
    for (const [path, held] of this.#held) {
      held.isStale = true;
      void this.#write(path, held);
    }
  }

  /** Writes what there is to be written of a path, one at a time. Never rejects. */
  async #write(path: StreamPath, held: Held): Promise<void> {
    if (held.isWriting) return;
    held.isWriting = true;
    try {
      for (let tries = 0; held.isStale && tries < MOST_TRIES; ) {
        const bucket = this.#bucket;
        if (bucket === undefined || this.#held.get(path) !== held) return;
        held.isStale = false;
        const isWritten = await this.#writeOnce(bucket, path, held);
        if (!isWritten) held.isStale = true;
        tries = isWritten ? 0 : tries + 1;
      }
    } catch (error) {
      held.isStale = true;
      this.#options.log.warn({ path, detail: messageOf(error) }, 'a stream is not in the registry of the cluster yet');
    } finally {
      held.isWriting = false;
    }
    if (this.#held.get(path) !== held && held.revision !== undefined) await this.#erase(path, held);
  }

  /** @returns false where somebody else was faster, and it has to be looked at anew */
  async #writeOnce(bucket: KV, path: StreamPath, held: Held): Promise<boolean> {
    const { node } = this.#options;
    const { epoch, state, session, startedAt } = held;
    const renditions = this.#options.renditionsOf(path);
    const value = encodeEntry({ path, node, epoch, state, session, startedAt, renditions });
    const key = tokenOf(path);
    const other = this.#known.get(path);
    try {
      if (held.revision !== undefined) held.revision = await bucket.update(key, value, held.revision);
      else if (other === undefined) held.revision = await bucket.create(key, value);
      else if (held.mayReplace || other.entry.state === 'waiting') {
        held.revision = await bucket.update(key, value, other.revision);
        this.#known.delete(path);
      } else this.#lose(path, held, other.entry);
      held.mayReplace = false;
      return true;
    } catch (error) {
      if (!isConflict(error)) throw error;
    }
    const now = await bucket.get(key);
    const isThere = now !== null && now.operation === 'PUT';
    const entry = isThere ? decodeEntry(path, now.string()) : undefined;
    if (now !== null && entry?.node === node) {
      // Written by us after all; or by who had this name before, which is over.
      held.revision = now.revision;
    } else if (now !== null && entry !== undefined) {
      const hadIt = held.revision !== undefined;
      this.#known.set(path, { entry, revision: now.revision, missed: 0 });
      if (hadIt) this.#lose(path, held, entry);
    } else {
      this.#known.delete(path);
      held.revision = undefined;
    }
    return false;
  }

  async #erase(path: StreamPath, held: Held): Promise<void> {
    const { revision } = held;
    if (revision === undefined || held.isWriting) return;
    held.revision = undefined;
    try {
      await this.#bucket?.delete(tokenOf(path), { previousSeq: revision });
    } catch (error) {
      if (isConflict(error)) return;
      this.#options.log.debug(
        { path, detail: messageOf(error) },
        'a stream stays in the registry until its lease ends',
      );
    }
  }

  #lose(path: StreamPath, held: Held, to: RegisteredStream): void {
    if (this.#held.get(path) !== held) return;
    this.#held.delete(path);
    held.revision = undefined;
    this.#options.onLost(path, held.session, to);
    this.#options.onChange(path);
  }
}

function isConflict(error: unknown): boolean {
  return (
    error instanceof JetStreamApiError &&
    (error.code === JetStreamApiCodes.StreamWrongLastSequence ||
      error.code === JetStreamApiCodes.StreamWrongLastSequenceUnknown)
  );
}
