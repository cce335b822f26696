import type { Millis } from '@sluice/media';

/** What a decoder must have had before a batch that begins with a keyframe. */
export interface JoinBytes {
  /** Once per viewer, before all else: the FLV file header, say. May be empty. */
  readonly header: Buffer;
  /** Metadata and decoder configurations; again after a skip when they changed meanwhile. */
  readonly configs: Buffer;
}

/** A run of encoded units that is written to each viewer in one go. Its bytes are shared by all. */
export interface Batch {
  readonly bytes: Buffer;
  /** A viewer can begin here. */
  readonly joinable: boolean;
  readonly join: JoinBytes;
  /** Monotonic time at which it was sealed. */
  readonly sealedAt: Millis;
}

export interface BatchLogLimits {
  /** Batches older than this go, unless they belong to the GOP that new viewers join at. */
  readonly retention: Millis;
  /** No more than this is kept even so; beyond it, new viewers wait for the next keyframe. */
  readonly maxBytes: number;
}

/**
 * The recent past of one output: batches numbered from 0 on, of which the old ones are forgotten. It keeps at least
 * the current GOP, for viewers that join, and `retention`, for viewers that lag.
 */
export class BatchLog {
  readonly #limits: BatchLogLimits;
  readonly #batches: Batch[] = [];
  #first = 0;
  #newestJoin = -1;
  #bytes = 0;

  constructor(limits: BatchLogLimits) {
    this.#limits = limits;
  }

  /** Number of the oldest batch kept. */
  get first(): number {
    return this.#first;
  }

  /** Number that the next batch will have. */
  get end(): number {
    return this.#first + this.#batches.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Number of the newest batch that a viewer can begin with; undefined if none is kept. */
  get newestJoin(): number | undefined {
    return this.#newestJoin >= this.#first ? this.#newestJoin : undefined;
  }

  /** Number of the oldest joinable batch sealed at `since` or later. */
  oldestJoinSince(since: Millis): number | undefined {
    const index = this.#batches.findIndex((batch) => batch.joinable && batch.sealedAt >= since);
    return index < 0 ? undefined : this.#first + index;
  }

  at(number: number): Batch | undefined {
    return this.#batches[number - this.#first];
  }

  push(batch: Batch): void {
    if (batch.joinable) this.#newestJoin = this.end;
    this.#batches.push(batch);
    this.#bytes += batch.bytes.length;
    const horizon = batch.sealedAt - this.#limits.retention;
    for (let oldest = this.#batches[0]; oldest !== undefined && oldest !== batch; oldest = this.#batches[0]) {
      const stale = oldest.sealedAt < horizon && this.#first < this.#newestJoin;
      if (!stale && this.#bytes <= this.#limits.maxBytes) break;
      this.#batches.shift();
      this.#bytes -= oldest.bytes.length;
      this.#first += 1;
    }
  }
}
