import type { Millis } from '@sluice/media';
import type { RtpConsumer, RtpSample } from './rtp-output.js';

/** Of one turn of the event loop, in ms. A packet costs its viewer some 15 µs, and a keyframe has a hundred. */
const TURN = 5;
/** More that waits is given to all at once, and who publishes has to wait: nothing piles up. */
const MOST_WAITING = 64;

/**
 * Gives samples to viewers in their order. What takes long goes on in the next turn of the event loop: a keyframe for
 * hundreds of viewers doesn't hold up handshakes and other streams.
 */
export class RtpFanOut {
  readonly #now: () => Millis;
  readonly #consumers = new Set<RtpConsumer>();
  readonly #waiting: RtpSample[] = [];
  /** Who hasn't got the first of those that wait. */
  #left: Iterator<RtpConsumer> | undefined;
  #isPaused = false;

  constructor(now: () => Millis) {
    this.#now = now;
  }

  get size(): number {
    return this.#consumers.size;
  }

  get consumers(): readonly RtpConsumer[] {
    return [...this.#consumers];
  }

  add(consumer: RtpConsumer): void {
    this.#consumers.add(consumer);
  }

  /** @returns whether it was there */
  remove(consumer: RtpConsumer): boolean {
    return this.#consumers.delete(consumer);
  }

  /** Forgets all viewers, and what they haven't got. */
  clear(): void {
    this.#consumers.clear();
    this.#waiting.length = 0;
    this.#left = undefined;
  }

  push(sample: RtpSample): void {
    this.#waiting.push(sample);
    if (!this.#isPaused || this.#waiting.length > MOST_WAITING) this.#run();
  }

  #run(): void {
    const began = this.#now();
    for (let sample = this.#waiting[0]; sample !== undefined; sample = this.#waiting[0]) {
      // An iterator of a set leaves out who goes meanwhile, and has who comes.
      const left = this.#left ?? this.#consumers.values();
      this.#left = left;
      for (let next = left.next(); next.done !== true; next = left.next()) {
        next.value.sample(sample);
        if (this.#now() - began >= TURN && this.#waiting.length <= MOST_WAITING) {
          this.#pause();
          return;
        }
      }
      this.#left = undefined;
      // A viewer's end may have been everybody's.
      if (this.#waiting[0] === sample) this.#waiting.shift();
    }
  }

  #pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    setImmediate(() => {
      this.#isPaused = false;
      this.#run();
    });
  }
}
