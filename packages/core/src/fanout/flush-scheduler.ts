import { type Millis, millis } from '@sluice/media';
import type { Clock } from '../clock.js';

/** Something with bytes to be written to its viewers. */
export interface Flushable {
  flush(now: Millis): void;
}

export interface FlushPolicy {
  /** How long to rest after a pass, as a multiple of what the pass took. 0 writes at once, always. */
  readonly restFactor: number;
  readonly maxRest: Millis;
  /** The longest that bytes may be held back. */
  readonly maxDelay: Millis;
  /** How many processes share the viewers; 1 where it is left out. */
  readonly processes?: number;
}

/** So little of a rest, in ms, is waited for; of a longer one a picture goes with the next picture, and sound with either. */
const SHORT_WAIT = 10;
/** While rests are this short, sound doesn't wait for a picture. */
const SHORT_REST = 4;
/** Of one pass in the running average of what passes take; a keyframe's is no measure of the others. */
const COST_WEIGHT = 0.2;

/**
 * Decides when buffered output is written. Writes are what fan-out spends its time on, and fewer, larger ones carry the
 * same bytes for less. So while passes are cheap each request is served in the same turn of the event loop; as they
 * grow dearer a rest follows each of them, and the pass after it waits for the arrival of a picture, which then is
 * written without any delay, together with what has come before it.
 *
 * One scheduler serves all outputs of a process, because they share its core.
 */
export class FlushScheduler {
  readonly #clock: Clock;
  readonly #policy: FlushPolicy;
  readonly #pending = new Set<Flushable>();
  readonly #pass = (): void => this.#run();
  /** The next pass comes now, or as soon as a rest ends that has little left. */
  #isNear = false;
  /** Set while a pass is put off. */
  #timer: NodeJS.Timeout | undefined;
  #restUntil = 0;
  #rest = 0;
  #cost = 0;

  constructor(policy: FlushPolicy, clock: Clock) {
    this.#policy = policy;
    this.#clock = clock;
  }

  /**
   * Asks that `target` be flushed.
   *
   * @param urgent whether it has a picture, or something else that nothing later is worth waiting for
   */
  request(target: Flushable, urgent: boolean): void {
    this.#pending.add(target);
    if (this.#isNear) return;
    const restLeft = this.#restUntil - this.#clock.monotonic();
    if (restLeft <= SHORT_WAIT && (urgent || this.#rest <= SHORT_REST)) {
      this.#isNear = true;
      clearTimeout(this.#timer);
      if (restLeft > 0) this.#timer = setTimeout(this.#pass, restLeft);
      else setImmediate(this.#pass);
    } else {
      this.#timer ??= setTimeout(this.#pass, this.#policy.maxDelay);
    }
  }

  #run(): void {
    this.#isNear = false;
    this.#timer = undefined;
    const targets = [...this.#pending];
    this.#pending.clear();
    const began = this.#clock.monotonic();
    for (const target of targets) target.flush(began);
    const ended = this.#clock.monotonic();
    this.#cost += (ended - began - this.#cost) * COST_WEIGHT;
    // Passes of a part of the viewers are shorter. With the rests of one process, they would come more often, and write less.
    const { maxRest, restFactor, processes = 1 } = this.#policy;
    const whole = this.#cost * processes;
    this.#rest = Math.min(maxRest, whole * restFactor) + whole - this.#cost;
    this.#restUntil = millis(ended + this.#rest);
  }
}
