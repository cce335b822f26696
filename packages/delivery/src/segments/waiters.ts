import type { Millis } from '@sluice/media';
import type { Departure } from './departure.js';

interface Waiter<T> {
  readonly wants: T;
  readonly until: Millis;
  readonly settle: (isThere: boolean) => void;
}

/** Requests that wait for what isn't there yet, as in RFC 8216bis §6.2.5.2. One sweep ends those it takes too long. */
export class Waiters<T> {
  readonly #now: () => Millis;
  readonly #waiting = new Set<Waiter<T>>();

  constructor(now: () => Millis) {
    this.#now = now;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** @returns whether it came before `timeoutMs` were over and who asked had left */
  wait(wants: T, timeoutMs: number, departure: Departure): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (isThere: boolean) => {
        this.#waiting.delete(waiter);
        departure.whenLeft = undefined;
        resolve(isThere);
      };
      const waiter: Waiter<T> = { wants, until: (this.#now() + timeoutMs) as Millis, settle };
      this.#waiting.add(waiter);
      departure.whenLeft = () => settle(false);
    });
  }

  /** Lets go of those for whom it is there. */
  advance(has: (wanted: T) => boolean): void {
    for (const waiter of [...this.#waiting]) if (has(waiter.wants)) waiter.settle(true);
  }

  /** Lets go of those that have waited long enough. */
  sweep(): void {
    const now = this.#now();
    for (const waiter of [...this.#waiting]) if (waiter.until <= now) waiter.settle(false);
  }

  /** Lets go of all: there is nothing to come. */
  close(): void {
    for (const waiter of [...this.#waiting]) waiter.settle(true);
  }
}
