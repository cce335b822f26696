const SIZE = 1024;

/** Remembers which of the last packets have come, RFC 3711 §3.3.2. */
export class ReplayWindow {
  readonly #seen = new Uint8Array(SIZE);
  #highest = -1;

  get highest(): number {
    return this.#highest;
  }

  /** Whether a packet is new, and not older than what can be told. */
  isNew(index: number): boolean {
    if (index > this.#highest) return true;
    return index > this.#highest - SIZE && this.#seen[index % SIZE] === 0;
  }

  /** Notes a packet, once it has shown to be authentic. */
  add(index: number): void {
    const from = Math.max(this.#highest + 1, index - SIZE + 1);
    for (let at = from; at < index; at++) this.#seen[at % SIZE] = 0;
    this.#seen[index % SIZE] = 1;
    this.#highest = Math.max(this.#highest, index);
  }
}
