/** Fewer packets say nothing about their share. */
const LEAST_PACKETS = 50;
const HALF_LIFE_MS = 1000;

/** The share of packets that got lost lately. */
export class LossMeter {
  #missing = 0;
  #told = 0;
  #isFresh = false;

  /** Of 1. */
  get share(): number {
    return this.#told < LEAST_PACKETS ? 0 : this.#missing / this.#told;
  }

  /** Whether anything got lost since it last aged. */
  get isFresh(): boolean {
    return this.#isFresh;
  }

  missing(): void {
    this.#missing += 1;
    this.#told += 1;
    this.#isFresh = true;
  }

  /** @param wasMissing it comes after it was told of as missing */
  arrived(wasMissing: boolean): void {
    if (wasMissing) this.#missing = Math.max(0, this.#missing - 1);
    else this.#told += 1;
  }

  /** Time goes by: what was before counts less. */
  age(elapsedMs: number): void {
    const kept = 0.5 ** (elapsedMs / HALF_LIFE_MS);
    this.#missing *= kept;
    this.#told *= kept;
    this.#isFresh = false;
  }
}
