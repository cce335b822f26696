/** Adds up a count that begins anew with each media source. */
export class FrameCounter {
  #before = 0;
  #newest = 0;

  /** @param count frames of the present source */
  observe(count: number): number {
    if (count < this.#newest) this.#before += this.#newest;
    this.#newest = count;
    return this.#before + count;
  }
}
