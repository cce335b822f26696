/** 128 steps in each power of two: a bucket is at most 0.8 % wide. */
const STEP_BITS = 7;
const STEPS = 1 << STEP_BITS;
/** 2^31 - 1 µs is 35 minutes; longer latencies count as that. */
const MAX_VALUE = 0x7fff_ffff;
const BUCKETS = indexOf(MAX_VALUE) + 1;

/** Counts whole numbers (latencies in µs) into logarithmic buckets; recording allocates nothing. */
export class Histogram {
  readonly counts: Uint32Array;
  #count = 0;
  #max = 0;

  constructor() {
    this.counts = new Uint32Array(BUCKETS);
  }

  get count(): number {
    return this.#count;
  }

  /** The greatest value, exactly; 0 of an empty histogram. */
  get max(): number {
    return this.#max;
  }

  record(value: number): void {
    const whole = value <= 0 ? 0 : value >= MAX_VALUE ? MAX_VALUE : Math.round(value);
    const index = indexOf(whole);
    this.counts[index] = (this.counts[index] ?? 0) + 1;
    this.#count++;
    if (whole > this.#max) this.#max = whole;
  }

  /** Adds another histogram's counts, as they came from its thread. */
  merge(other: { readonly counts: Uint32Array; readonly max: number }): void {
    for (const [index, count] of other.counts.entries()) {
      if (count === 0) continue;
      this.counts[index] = (this.counts[index] ?? 0) + count;
      this.#count += count;
    }
    if (other.max > this.#max) this.#max = other.max;
  }

  /** @param fraction 0.99 for the 99th percentile; NaN of an empty histogram */
  percentile(fraction: number): number {
    if (this.#count === 0) return Number.NaN;
    let left = Math.max(1, Math.ceil(fraction * this.#count));
    for (const [index, count] of this.counts.entries()) {
      left -= count;
      if (left <= 0) return Math.min(this.#max, middleOf(index));
    }
    return this.#max;
  }
}

function indexOf(value: number): number {
  if (value < STEPS) return value;
  const shift = 31 - Math.clz32(value) - STEP_BITS;
  return shift * STEPS + (value >>> shift);
}

function middleOf(index: number): number {
  if (index < 2 * STEPS) return index;
  const shift = (index >> STEP_BITS) - 1;
  const low = ((index & (STEPS - 1)) + STEPS) * 2 ** shift;
  return low + 2 ** (shift - 1);
}
