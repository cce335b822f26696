const FIRST_MS = 500;
const MAX_MS = 8000;

/** How long to wait before the next attempt: half a second, doubled each time, up to eight. */
export class Backoff {
  #attempts = 0;

  /** Attempts since it last worked. */
  get attempts(): number {
    return this.#attempts;
  }

  next(): number {
    const delay = Math.min(MAX_MS, FIRST_MS * 2 ** this.#attempts);
    this.#attempts += 1;
    return delay;
  }

  /** It worked. */
  reset(): void {
    this.#attempts = 0;
  }
}
