/** Lets so many do something at once, and lets some more wait. */
export class Turns {
  readonly #atOnce: number;
  readonly #mostWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #taken = 0;

  constructor(atOnce: number, mostWaiting: number) {
    this.#atOnce = atOnce;
    this.#mostWaiting = mostWaiting;
  }

  /** @returns resolves when it is one's turn; undefined where too many wait already */
  take(): Promise<void> | undefined {
    if (this.#taken < this.#atOnce) {
      this.#taken += 1;
      return Promise.resolve();
    }
    if (this.#waiting.length >= this.#mostWaiting) return undefined;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** The turn is over; the next one has it. */
  give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#taken -= 1;
    else next();
  }
}
