import type { Micros } from '../wire/timestamp.js';

/** Packets that go out at once: a picture, in the main. */
const BURST = 10;
/** What is sent steadily may be a little more than what came in lately. */
const OVERHEAD = 1.25;
const RATE_WINDOW = 500_000;
/** The time that the hard limit looks at. */
const LIMIT_WINDOW = 20_000;

export interface PacerOptions {
  /** Microseconds in which a burst has to be out. */
  readonly spread: number;
  /** Bytes a second that nothing exceeds, repetitions included; undefined: no limit. */
  readonly maxBandwidth: number | undefined;
  readonly now: Micros;
}

/**
 * Says when packets may go out. A live stream comes in bursts, a keyframe above all; a line takes it better spread out,
 * yet what waits too long here is late there. So a burst is spread over a part of the latency, and no more than that.
 */
export class Pacer {
  readonly #spread: number;
  readonly #limit: number;
  #credit = BURST;
  #bytes: number;
  #at: number;
  #windowStart: number;
  #windowPackets = 0;
  /** Packets a microsecond. */
  #inputRate = 0;
  #urgency = 0;

  constructor({ spread, maxBandwidth, now }: PacerOptions) {
    this.#spread = spread;
    this.#limit = (maxBandwidth ?? Number.POSITIVE_INFINITY) / 1_000_000;
    this.#bytes = this.#limit * LIMIT_WINDOW;
    this.#at = now;
    this.#windowStart = now;
  }

  /** A packet has come to be sent; @param waiting with those that wait already */
  arrived(waiting: number, now: Micros): void {
    this.#windowPackets += 1;
    const elapsed = now - this.#windowStart;
    if (elapsed >= RATE_WINDOW) {
      this.#inputRate = this.#windowPackets / elapsed;
      this.#windowStart = now;
      this.#windowPackets = 0;
    }
    this.#urgency = Math.max(this.#urgency, waiting / this.#spread);
    this.#pass(now);
  }

  /** Whether a new packet may go out now; those that may are counted by `sent`. */
  mayStart(now: Micros): boolean {
    this.#pass(now);
    return this.#credit >= 1 && this.#bytes > 0;
  }

  /** Whether one may go out again: those don't wait for their turn, but keep to the limit. */
  mayRepeat(now: Micros): boolean {
    this.#pass(now);
    return this.#bytes > 0;
  }

  /** A datagram went out. @param isNew whether it had to wait for its turn */
  sent(bytes: number, isNew: boolean): void {
    if (isNew) this.#credit -= 1;
    this.#bytes -= bytes;
  }

  /** Nothing waits any more. */
  emptied(): void {
    this.#urgency = 0;
  }

  #pass(now: Micros): void {
    const elapsed = now - this.#at;
    if (elapsed <= 0) return;
    this.#at = now;
    const rate = Math.max(this.#inputRate * OVERHEAD, this.#urgency);
    this.#credit = Math.min(Math.max(BURST, rate * LIMIT_WINDOW), this.#credit + rate * elapsed);
    this.#bytes = Math.min(this.#limit * LIMIT_WINDOW, this.#bytes + this.#limit * elapsed);
  }
}
