/** Samples go in, and nothing comes out: it hangs. */
export const STALLED_AFTER_MS = 8000;
/** A longer pause of what goes in is no reason to expect anything. */
const PAUSE_MS = 1000;
/** What ran for so long was no failure. */
const GOOD_AFTER_MS = 10_000;

/** Watches over one run of ffmpeg: whether it hangs, and how much CPU it takes. Times are monotonic, in ms. */
export class RunWatch {
  readonly #startedAt: number;
  #lastIn: number;
  /** Since when samples have come without a pause. */
  #fedSince: number;
  #lastOut: number;
  #measured: { readonly at: number; readonly cpuSeconds: number } | undefined;
  #cpu: number | undefined;

  constructor(now: number) {
    this.#startedAt = now;
    this.#lastIn = now;
    this.#fedSince = now;
    this.#lastOut = now;
  }

  /** Cores that it has taken of late; undefined before that is known. */
  get cpu(): number | undefined {
    return this.#cpu;
  }

  fed(now: number): void {
    if (now - this.#lastIn > PAUSE_MS) this.#fedSince = now;
    this.#lastIn = now;
  }

  gave(now: number): void {
    this.#lastOut = now;
  }

  hangs(now: number): boolean {
    const isFed = now - this.#lastIn < PAUSE_MS;
    return isFed && now - Math.max(this.#lastOut, this.#fedSince) > STALLED_AFTER_MS;
  }

  /** Whether it has done well for some time. */
  isGood(now: number): boolean {
    return now - this.#startedAt > GOOD_AFTER_MS && now - this.#lastOut < PAUSE_MS;
  }

  /** @param cpuSeconds since it began */
  measured(cpuSeconds: number, now: number): void {
    const before = this.#measured;
    if (before !== undefined) this.#cpu = (cpuSeconds - before.cpuSeconds) / ((now - before.at) / 1000);
    this.#measured = { at: now, cpuSeconds };
  }
}
