const SPAN_MS = 5000;

/** Pictures a second of late, from how many there were in all. */
export class PictureRate {
  #notes: { readonly pictures: number; readonly at: number }[] = [];

  /** @param now milliseconds that never go back */
  note(pictures: number, now: number): void {
    this.#notes.push({ pictures, at: now });
    this.#notes = this.#notes.filter(({ at }) => now - at <= SPAN_MS);
  }

  get perSecond(): number {
    const [first] = this.#notes;
    const last = this.#notes.at(-1);
    if (first === undefined || last === undefined || last.at === first.at) return 0;
    return Math.round(((last.pictures - first.pictures) * 10_000) / (last.at - first.at)) / 10;
  }
}
