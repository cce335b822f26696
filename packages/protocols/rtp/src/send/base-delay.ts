/** Long enough to see an empty queue once, short enough for clocks that drift apart and ways that change. */
const WINDOW_MS = 30_000;

/** The least delay of a line: what is above it is time in queues. Both clocks may begin anywhere. */
export class BaseDelay {
  #current = Number.POSITIVE_INFINITY;
  #before = Number.POSITIVE_INFINITY;
  #began: number | undefined;

  /** @param delay ms between a packet's two times @returns how much of it was queueing */
  queueing(delay: number, now: number): number {
    this.#began ??= now;
    if (now - this.#began > WINDOW_MS) {
      this.#before = this.#current;
      this.#current = delay;
      this.#began = now;
    }
    this.#current = Math.min(this.#current, delay);
    return delay - Math.min(this.#current, this.#before);
  }
}
