/** Fewer packets, or of a shorter time, say nothing about their share. */
const LEAST_PACKETS = 10;
const INTERVAL_MS = 100;
/** How much the latest interval weighs: one that lost all is no more than this. */
const WEIGHT = 0.15;

/** The share of packets that gets lost: of time rather than of packets, so that one bad moment is soon forgotten. */
export class LossMeter {
  #share = 0;
  #missing = 0;
  #told = 0;
  #elapsed = 0;

  /** Of 1. */
  get share(): number {
    return this.#share;
  }

  missing(): void {
    this.#missing += 1;
    this.#told += 1;
  }

  /** @param wasMissing it comes after it was told of as missing */
  arrived(wasMissing: boolean): void {
    if (wasMissing) this.#missing = Math.max(0, this.#missing - 1);
    else this.#told += 1;
  }

  /** Time has gone by. */
  pass(elapsedMs: number): void {
    this.#elapsed += elapsedMs;
    if (this.#elapsed < INTERVAL_MS || this.#told < LEAST_PACKETS) return;
    this.#share += WEIGHT * (this.#missing / this.#told - this.#share);
    this.#missing = 0;
    this.#told = 0;
    this.#elapsed = 0;
  }
}
