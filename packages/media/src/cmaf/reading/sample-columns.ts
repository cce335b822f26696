import { MediaError } from '../../errors.js';
import type { SamplePlace } from './sample-place.js';

/** The samples of a track in the order of decoding, a column for each of their fields. Of one length, all of them. */
export interface SampleColumns {
  readonly count: number;
  /** Where a sample's bytes begin in the file. */
  readonly offsets: Float64Array;
  /** Bytes. */
  readonly sizes: Uint32Array;
  /** Decoding times in ticks, as the file has them. */
  readonly dts: Float64Array;
  /** Ticks. */
  readonly durations: Uint32Array;
  /** Presentation less decoding time, in ticks. */
  readonly compositionOffsets: Int32Array;
  /** 1 for a keyframe, else 0. Of sound as the file has it. */
  readonly keyframes: Uint8Array;
}

const FIRST_CAPACITY = 256;
/** A day of sound at 96 kHz. A sample takes 29 bytes of memory. */
const MAX_SAMPLES = 10_000_000;

/** Columns that grow, so that a sample costs its numbers and no object. */
export class GrowingColumns {
  #count = 0;
  #offsets = new Float64Array(FIRST_CAPACITY);
  #sizes = new Uint32Array(FIRST_CAPACITY);
  #dts = new Float64Array(FIRST_CAPACITY);
  #durations = new Uint32Array(FIRST_CAPACITY);
  #compositionOffsets = new Int32Array(FIRST_CAPACITY);
  #keyframes = new Uint8Array(FIRST_CAPACITY);

  /** @param known what they begin with; stays as it is */
  constructor(known?: SampleColumns) {
    if (known === undefined) return;
    this.#count = known.count;
    this.#reserve(Math.max(known.count + (known.count >> 2), FIRST_CAPACITY), known);
  }

  get count(): number {
    return this.#count;
  }

  /** @throws {MediaError} `too-large` past 10 million samples */
  push(place: SamplePlace): void {
    const at = this.#count;
    if (at === this.#sizes.length) this.#grow();
    this.#offsets[at] = place.offset;
    this.#sizes[at] = place.size;
    this.#dts[at] = place.dts;
    this.#durations[at] = place.duration;
    this.#compositionOffsets[at] = place.compositionOffset;
    this.#keyframes[at] = place.keyframe ? 1 : 0;
    this.#count += 1;
  }

  /** Views, which later samples don't change. */
  columns(): SampleColumns {
    const count = this.#count;
    return {
      count,
      offsets: this.#offsets.subarray(0, count),
      sizes: this.#sizes.subarray(0, count),
      dts: this.#dts.subarray(0, count),
      durations: this.#durations.subarray(0, count),
      compositionOffsets: this.#compositionOffsets.subarray(0, count),
      keyframes: this.#keyframes.subarray(0, count),
    };
  }

  #grow(): void {
    if (this.#count >= MAX_SAMPLES) {
      throw new MediaError('too-large', `a track of more than ${MAX_SAMPLES} samples; begin a new file earlier`);
    }
    this.#reserve(Math.min(this.#count * 2, MAX_SAMPLES), this.columns());
  }

  #reserve(capacity: number, from: SampleColumns): void {
    this.#offsets = copied(from.offsets, new Float64Array(capacity));
    this.#sizes = copied(from.sizes, new Uint32Array(capacity));
    this.#dts = copied(from.dts, new Float64Array(capacity));
    this.#durations = copied(from.durations, new Uint32Array(capacity));
    this.#compositionOffsets = copied(from.compositionOffsets, new Int32Array(capacity));
    this.#keyframes = copied(from.keyframes, new Uint8Array(capacity));
  }
}

function copied<From, To extends { set(from: From): void }>(from: From, to: To): To {
  to.set(from);
  return to;
}

/** @returns undefined behind the last sample */
export function placeIn(columns: SampleColumns, index: number): SamplePlace | undefined {
  const [offset, size, dts] = [columns.offsets[index], columns.sizes[index], columns.dts[index]];
  const [duration, compositionOffset] = [columns.durations[index], columns.compositionOffsets[index]];
  if (offset === undefined || size === undefined || dts === undefined) return undefined;
  if (duration === undefined || compositionOffset === undefined) return undefined;
  return { offset, size, dts, duration, compositionOffset, keyframe: columns.keyframes[index] === 1 };
}

/**
 * Samples don't share bytes. Those of a forged file could ask for more than there is of it.
 *
 * @param sizes of the samples of each track
 * @throws {MediaError} `malformed`
 */
export function checkTotalSize(sizes: readonly Iterable<number>[], available: number): void {
  let total = 0;
  for (const ofTrack of sizes) for (const size of ofTrack) total += size;
  if (total > available) throw new MediaError('malformed', `samples of ${total} bytes in ${available}`);
}
