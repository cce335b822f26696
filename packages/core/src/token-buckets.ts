import type { Millis } from '@sluice/media';
import type { Clock } from './clock.js';

/** How often something may happen. */
export interface Rate {
  readonly perMinute: number;
  /** At once, after a pause. */
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  filledAt: Millis;
}

/** As many are remembered; the ones that have not been used for longest make room. */
const MAX_BUCKETS = 50_000;
const MINUTE_MS = 60_000;

/** A token bucket for each name: an address, say. Memory is bounded, however many names there are. */
export class TokenBuckets {
  readonly #buckets = new Map<string, Bucket>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes one, if there is one. @returns 0, or how many milliseconds there are until there is one */
  take(name: string, rate: Rate): number {
    const bucket = this.#bucketOf(name, rate);
    if (bucket.tokens < 1) return waitOf(bucket, rate);
    bucket.tokens -= 1;
    // The most recently used comes last.
    this.#buckets.delete(name);
    this.#buckets.set(name, bucket);
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > MAX_BUCKETS && oldest !== undefined) this.#buckets.delete(oldest);
    return 0;
  }

  /** As `take`, but takes nothing. */
  waitFor(name: string, rate: Rate): number {
    if (!this.#buckets.has(name)) return 0;
    const bucket = this.#bucketOf(name, rate);
    return bucket.tokens < 1 ? waitOf(bucket, rate) : 0;
  }

  #bucketOf(name: string, { perMinute, burst }: Rate): Bucket {
    const now = this.#clock.monotonic();
    const known = this.#buckets.get(name);
    if (known === undefined) return { tokens: burst, filledAt: now };
    known.tokens = Math.min(burst, known.tokens + ((now - known.filledAt) * perMinute) / MINUTE_MS);
    known.filledAt = now;
    return known;
  }
}

function waitOf({ tokens }: Bucket, { perMinute }: Rate): number {
  return Math.ceil(((1 - tokens) * MINUTE_MS) / perMinute);
}
