/** The rates at which packets went out and came in lately: older ones count for less and less. */
export class RateMeter {
  readonly #windowMs: number;
  #bytes = 0;
  #sent = { first: 0, last: 0 };
  #came = { first: 0, last: 0 };
  #isEmpty = true;

  /** @param windowMs what is further back weighs half */
  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** Begins anew with a packet: its own bytes came before. */
  reset(sentAt: number, cameAt: number): void {
    this.#bytes = 0;
    this.#sent = { first: sentAt, last: sentAt };
    this.#came = { first: cameAt, last: cameAt };
    this.#isEmpty = false;
  }

  add(bytes: number, sentAt: number, cameAt: number): void {
    if (this.#isEmpty) {
      this.reset(sentAt, cameAt);
      return;
    }
    this.#bytes += bytes;
    this.#sent.last = Math.max(this.#sent.last, sentAt);
    this.#came.last = Math.max(this.#came.last, cameAt);
    const elapsed = this.#came.last - this.#came.first;
    if (elapsed <= this.#windowMs) return;
    // After a pause, only what is within the window is left.
    const kept = Math.min(elapsed, this.#windowMs * 2) / 2 / elapsed;
    this.#bytes *= kept;
    this.#came.first = this.#came.last - elapsed * kept;
    this.#sent.first = this.#sent.last - (this.#sent.last - this.#sent.first) * kept;
  }

  /** Bit/s that came in; undefined where they haven't been watched for so long. */
  rate(leastMs: number): number | undefined {
    const elapsed = this.#came.last - this.#came.first;
    return elapsed < leastMs ? undefined : (this.#bytes * 8000) / elapsed;
  }

  /** The same where it says what the line can do: more went out than came in, by a share, and of enough bytes. */
  capacity(leastMs: number, leastBytes: number, excess: number): number | undefined {
    const isMore = this.#came.last - this.#came.first >= (this.#sent.last - this.#sent.first) * excess;
    return isMore && this.#bytes >= leastBytes ? this.rate(leastMs) : undefined;
  }
}
