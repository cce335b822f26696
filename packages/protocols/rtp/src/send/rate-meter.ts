/** The rate of what came lately: older bytes count for less and less. */
export class RateMeter {
  readonly #windowMs: number;
  #bytes = 0;
  #began: number | undefined;
  #latest = 0;

  /** @param windowMs what is further back weighs half */
  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** Begins anew with a packet that came at a time: its own bytes came before. */
  reset(at: number): void {
    this.#bytes = 0;
    this.#began = at;
    this.#latest = at;
  }

  add(bytes: number, at: number): void {
    if (this.#began === undefined) {
      this.reset(at);
      return;
    }
    this.#latest = Math.max(this.#latest, at);
    this.#bytes += bytes;
    const elapsed = this.#latest - this.#began;
    if (elapsed <= this.#windowMs) return;
    // After a pause, only what is within the window is left.
    const kept = Math.min(elapsed, this.#windowMs * 2) / 2;
    this.#bytes *= kept / elapsed;
    this.#began = this.#latest - kept;
  }

  /** Bit/s; undefined where it hasn't been watched for so long. */
  rate(leastMs: number): number | undefined {
    const elapsed = this.#latest - (this.#began ?? this.#latest);
    return elapsed < leastMs ? undefined : (this.#bytes * 8000) / elapsed;
  }
}
