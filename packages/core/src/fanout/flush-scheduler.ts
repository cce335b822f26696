import { type Millis, millis } from '@sluice/media';
import type { Clock } from '../clock.js';

/** Something with bytes to be written to its viewers. */
export interface Flushable {
  flush(now: Millis): void;
}

export interface FlushPolicy {
  /** The longest that bytes may be held back. */
  readonly maxDelay: Millis;
  /**
   * How long to rest after a pass, as a multiple of what the pass took. 0 writes at once, always; 2 spends at most a
   * third of a core on writing as long as `maxDelay` allows it.
   */
  readonly restFactor: number;
}

/**
 * Decides when buffered output is written. While passes are cheap, a request is served in the same turn of the event
 * loop. As a pass grows dearer the rest after it grows too, so that more units share one write per viewer: writes are
 * what fan-out spends its time on, and fewer, larger ones carry the same bytes for less.
 *
 * One scheduler serves all outputs of a process, because they share its core.
 */
export class FlushScheduler {
  readonly #clock: Clock;
  readonly #policy: FlushPolicy;
  readonly #pending = new Set<Flushable>();
  readonly #pass = (): void => this.#run();
  #scheduled = false;
  #restUntil = 0;

  constructor(policy: FlushPolicy, clock: Clock) {
    this.#policy = policy;
    this.#clock = clock;
  }

  /** Asks that `target` be flushed in the next pass. */
  request(target: Flushable): void {
    this.#pending.add(target);
    if (this.#scheduled) return;
    this.#scheduled = true;
    const rest = this.#restUntil - this.#clock.monotonic();
    if (rest >= 1) setTimeout(this.#pass, rest);
    else setImmediate(this.#pass);
  }

  #run(): void {
    const began = this.#clock.monotonic();
    const targets = [...this.#pending];
    this.#pending.clear();
    this.#scheduled = false;
    for (const target of targets) target.flush(began);
    const ended = this.#clock.monotonic();
    const rest = Math.min(this.#policy.maxDelay, (ended - began) * this.#policy.restFactor);
    this.#restUntil = millis(ended + rest);
  }
}
