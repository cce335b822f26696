import type { JetStreamManager } from '@nats-io/jetstream';
import type { KV, KvEntry } from '@nats-io/kv';

export interface TidyOptions {
  readonly manager: JetStreamManager;
  readonly bucket: KV;
  /** Whether a record holds no more, by itself: a ban that has run out. */
  readonly isOver: (entry: KvEntry) => boolean;
  /** Wall clock, ms. */
  readonly now: number;
}

/** Who has been away for longer brings back what the others have removed since. */
const REMEMBER_REMOVALS_MS = 30 * 86_400_000;

/**
 * Takes out of a bucket what has run out, and what only says that something was removed once all nodes know it.
 *
 * @returns how many entries are gone
 * @throws where JetStream can't be used
 */
export async function tidyBucket({ manager, bucket, isOver, now }: TidyOptions): Promise<number> {
  const over: KvEntry[] = [];
  const forgotten: KvEntry[] = [];
  for await (const entry of await bucket.history()) {
    if (entry.operation === 'PUT') {
      if (isOver(entry)) over.push(entry);
    } else if (now - entry.created.getTime() > REMEMBER_REMOVALS_MS) forgotten.push(entry);
  }
  // What was written again meanwhile stays: it has a higher revision.
  for (const { key, revision } of over) await bucket.delete(key, { previousSeq: revision });
  const { streamInfo } = await bucket.status();
  for (const { bucket: name, key, revision } of forgotten) {
    await manager.streams.purge(streamInfo.config.name, { filter: `$KV.${name}.${key}`, seq: revision + 1 });
  }
  return over.length + forgotten.length;
}
