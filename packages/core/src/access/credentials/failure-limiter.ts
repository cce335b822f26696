import type { Clock } from '../../clock.js';
import { Refusal } from '../../errors.js';
import { TokenBuckets } from '../../token-buckets.js';

/** Keeps who guesses credentials from guessing on. */
export class FailureLimiter {
  readonly #perMinute: () => number;
  readonly #buckets: TokenBuckets;

  constructor(options: { perMinute: () => number; clock: Clock }) {
    this.#perMinute = options.perMinute;
    this.#buckets = new TokenBuckets(options.clock);
  }

  /** @throws {Refusal} `too-many-failures` */
  check(ip: string): void {
    const waitMs = this.#buckets.waitFor(ip, this.#rate());
    if (waitMs > 0) {
      const seconds = Math.ceil(waitMs / 1000);
      throw new Refusal('too-many-failures', `too many wrong credentials came from ${ip}; try again in ${seconds} s`);
    }
  }

  failed(ip: string): void {
    this.#buckets.take(ip, this.#rate());
  }

  #rate() {
    const perMinute = this.#perMinute();
    return { perMinute, burst: perMinute };
  }
}
