const WINDOW = 64;

/** Tells records that came before, RFC 6347 §4.1.2.6. Only authentic ones may be noted: they move it. */
export class ReplayWindow {
  readonly #seen = new Set<number>();
  #highest = -1;

  isNew(sequence: number): boolean {
    return sequence > this.#highest - WINDOW && !this.#seen.has(sequence);
  }

  note(sequence: number): void {
    this.#seen.add(sequence);
    this.#highest = Math.max(this.#highest, sequence);
    if (this.#seen.size <= 2 * WINDOW) return;
    for (const old of this.#seen) if (old <= this.#highest - WINDOW) this.#seen.delete(old);
  }
}
