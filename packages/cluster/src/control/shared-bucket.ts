import { isDeepStrictEqual } from 'node:util';
import type { JetStreamManager } from '@nats-io/jetstream';
import { type KV, type KvEntry, KvWatchInclude } from '@nats-io/kv';
import { type Logger, messageOf, type SharedRecords } from '@sluice/core';
import type { Buckets } from './election.js';
import type { PendingChanges } from './pending-changes.js';
import { tidyBucket } from './tidy-bucket.js';

/** Records of one kind that all nodes hold alike. */
export interface SharedKind {
  /** In the bucket's keys: `bans`. */
  readonly name: string;
  readonly records: SharedRecords<{ readonly id: string }>;
  /** Reads a record that another node wrote; undefined where it is none. */
  readonly read: (value: unknown) => { readonly id: string } | undefined;
  /** Whether one holds no more, by itself; none does, where it is left out. */
  readonly isOver?: (record: { readonly id: string }, now: number) => boolean;
  /** Which of them are shared; all, where it is left out. */
  readonly isShared?: (id: string) => boolean;
}

export interface SharedBucketOptions {
  readonly bucket: string;
  readonly kinds: readonly SharedKind[];
  readonly pending: PendingChanges;
  /** Changes of other nodes are in force. */
  readonly onAdopted: (kind: string) => void;
  readonly log: Logger;
}

/** What keys of a bucket may be; other ids stay at home. */
const KEY = /^[-/_=.a-zA-Z0-9]{1,512}$/;
const WRITE_TIMEOUT_MS = 5000;

/**
 * Bans, users, keys and settings of all nodes, in a bucket of JetStream. What is changed on one node is written there,
 * and all others take it over; of two changes of one record the one with the higher revision holds. Each node keeps its
 * copy, with which it goes on while NATS is away; what it changes then goes to the bucket when NATS is back.
 */
export class SharedBucket {
  readonly #options: SharedBucketOptions;
  readonly #stopListening: readonly (() => void)[];
  /** Keys that are being written, and how often. What the bucket says of them meanwhile is older, or read afterwards. */
  readonly #writing = new Map<string, number>();
  readonly #overtaken = new Set<string>();
  /** Keys of which the last write has failed. */
  readonly #failed = new Set<string>();
  /** Revisions of this node's own last writes. */
  readonly #ownRevisions = new Map<string, number>();
  #bucket: KV | undefined;
  #updates: { stop(): void } | undefined;
  #work: Promise<unknown> = Promise.resolve();
  #run = 0;
  #revision = 0;

  constructor(options: SharedBucketOptions) {
    this.#options = options;
    this.#stopListening = options.kinds.map(({ name, records, isShared }) =>
      records.onChange((id) => {
        if (isShared?.(id) ?? true) this.#changed(`${name}.${id}`);
      }),
    );
  }

  /** The newest revision of the bucket that is in force here: the same on all nodes that agree. */
  get revision(): number {
    return this.#revision;
  }

  /** Takes over what the bucket has, writes what it doesn't, and follows it. @throws where JetStream can't be used */
  async begin(buckets: Buckets, replicas: number): Promise<void> {
    this.pause();
    const run = this.#run;
    const bucket = await buckets.create(this.#options.bucket, { history: 1, replicas });
    const updates = await bucket.watch({ include: KvWatchInclude.UpdatesOnly });
    if (run !== this.#run) {
      updates.stop();
      return;
    }
    this.#updates = updates;
    const entries = new Map<string, KvEntry>();
    for await (const entry of await bucket.history()) entries.set(entry.key, entry);
    if (run !== this.#run) return;
    // A bucket that was made anew counts from 1 again.
    this.#revision = 0;
    await this.#reconcile(bucket, entries);
    if (run !== this.#run) return;
    this.#bucket = bucket;
    for (const key of this.#options.pending.keys) this.#write(key);
    void this.#follow(updates, run);
  }

  /** Takes out what has run out. For one node to do, now and then. Never rejects. */
  async tidy(manager: () => Promise<JetStreamManager>, now: number): Promise<void> {
    const bucket = this.#bucket;
    if (bucket === undefined) return;
    const isOver = (entry: KvEntry) => {
      const kind = this.#kindOf(entry.key)?.kind;
      const record = kind?.isOver === undefined ? undefined : kind.read(entry.json());
      return record !== undefined && (kind?.isOver?.(record, now) ?? false);
    };
    try {
      const gone = await tidyBucket({ manager: await manager(), bucket, isOver, now });
      if (gone > 0) this.#options.log.info({ entries: gone }, 'what has run out is taken out of the cluster’s records');
    } catch (error) {
      this.#options.log.warn({ detail: messageOf(error) }, 'the cluster’s records could not be tidied');
    }
  }

  /** NATS is gone: changes wait. */
  pause(): void {
    this.#run += 1;
    this.#ownRevisions.clear();
    this.#updates?.stop();
    this.#updates = undefined;
    this.#bucket = undefined;
  }

  /** Resolves when what was changed here until now is written. */
  async idle(): Promise<void> {
    await this.#work;
  }

  async close(): Promise<void> {
    for (const stop of this.#stopListening) stop();
    await this.idle();
    this.pause();
    await this.#options.pending.close();
  }

  async #follow(updates: AsyncIterable<KvEntry>, run: number): Promise<void> {
    try {
      for await (const entry of updates) {
        if (run !== this.#run) return;
        if (this.#writing.has(entry.key)) this.#overtaken.add(entry.key);
        // What comes behind the answer to this node's own write may be older than that.
        else if (entry.revision >= (this.#ownRevisions.get(entry.key) ?? 0)) await this.#apply(entry);
      }
    } catch (error) {
      this.#options.log.warn({ detail: messageOf(error) }, 'the cluster’s records can’t be followed any more');
    }
  }

  /** What the bucket has holds; what it has never heard of is written; and so is what was changed here meanwhile. */
  async #reconcile(bucket: KV, entries: ReadonlyMap<string, KvEntry>): Promise<void> {
    const { kinds, pending } = this.#options;
    for (const entry of entries.values()) if (!pending.has(entry.key)) await this.#apply(entry);
    for (const { name, records, isShared } of kinds) {
      for (const record of records.list()) {
        const key = `${name}.${record.id}`;
        if (!KEY.test(key) || entries.has(key) || pending.has(key) || !(isShared?.(record.id) ?? true)) continue;
        // Where another node is faster, its record comes with the updates.
        await bucket.create(key, JSON.stringify(record)).catch((error: unknown) => this.#tellFailure(key, error));
      }
    }
  }

  async #apply(entry: KvEntry): Promise<void> {
    this.#revision = Math.max(this.#revision, entry.revision);
    const found = this.#kindOf(entry.key);
    if (found === undefined) return;
    const { kind, id } = found;
    try {
      const record = entry.operation === 'PUT' ? kind.read(entry.json()) : undefined;
      if (entry.operation === 'PUT' && record?.id !== id) throw new Error('it is no record of that kind');
      const known = kind.records.get(id);
      if (isDeepStrictEqual(asJson(known), asJson(record))) return;
      await kind.records.adopt(id, record);
      this.#options.onAdopted(kind.name);
    } catch (error) {
      this.#options.log.error(
        { key: entry.key, detail: messageOf(error) },
        'a record of the cluster can’t be taken over',
      );
    }
  }

  #kindOf(key: string): { kind: SharedKind; id: string } | undefined {
    const dot = key.indexOf('.');
    const id = key.slice(dot + 1);
    const kind = this.#options.kinds.find(({ name }) => name === key.slice(0, dot));
    return kind === undefined || !(kind.isShared?.(id) ?? true) ? undefined : { kind, id };
  }

  #changed(key: string): void {
    if (!KEY.test(key)) return;
    this.#options.pending.add(key);
    if (this.#bucket !== undefined) this.#write(key);
  }

  /** Writes what a record is by now. Never rejects; what fails waits for the next time that NATS comes back. */
  #write(key: string): void {
    const bucket = this.#bucket;
    if (bucket === undefined) return;
    this.#writing.set(key, (this.#writing.get(key) ?? 0) + 1);
    const written = this.#written(bucket, key).then(() => this.#doneWriting(bucket, key));
    this.#work = Promise.allSettled([this.#work, written]);
  }

  async #written(bucket: KV, key: string): Promise<void> {
    const found = this.#kindOf(key);
    if (found === undefined) return;
    const record = found.kind.records.get(found.id);
    try {
      if (record === undefined) await bucket.delete(key);
      else this.#ownRevisions.set(key, await bucket.put(key, JSON.stringify(record), { timeout: WRITE_TIMEOUT_MS }));
      this.#failed.delete(key);
    } catch (error) {
      this.#failed.add(key);
      this.#tellFailure(key, error);
    }
  }

  async #doneWriting(bucket: KV, key: string): Promise<void> {
    const left = (this.#writing.get(key) ?? 1) - 1;
    if (left > 0) {
      this.#writing.set(key, left);
      return;
    }
    this.#writing.delete(key);
    if (!this.#failed.delete(key)) this.#options.pending.delete(key);
    if (!this.#overtaken.delete(key) || this.#bucket !== bucket) return;
    const entry = await bucket.get(key).catch(() => null);
    if (entry !== null && !this.#writing.has(key) && !this.#options.pending.has(key)) await this.#apply(entry);
  }

  #tellFailure(key: string, error: unknown): void {
    this.#options.log.warn({ key, detail: messageOf(error) }, 'a record could not be written to the cluster');
  }
}

/** Without what is undefined, as it is in the bucket. */
const asJson = (record: object | undefined): unknown => record && JSON.parse(JSON.stringify(record));
