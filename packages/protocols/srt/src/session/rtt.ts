/** Round-trip time and its variance, §4.10: a moving mean of what ACK and ACKACK tell. Microseconds. */
export class RoundTripTime {
  #mean = 100_000;
  #variance = 50_000;
  #isMeasured = false;

  get mean(): number {
    return this.#mean;
  }

  get variance(): number {
    return this.#variance;
  }

  /** How long an answer may take before it is taken for lost. */
  get timeout(): number {
    return this.#mean + 4 * this.#variance;
  }

  sample(rtt: number): void {
    if (rtt < 0) return;
    if (!this.#isMeasured) {
      this.#isMeasured = true;
      this.#mean = rtt;
      this.#variance = rtt / 2;
      return;
    }
    this.#variance = (3 * this.#variance + Math.abs(this.#mean - rtt)) / 4;
    this.#mean = (7 * this.#mean + rtt) / 8;
  }

  /** Takes over what the other side has measured. */
  adopt(mean: number, variance: number): void {
    this.#isMeasured = true;
    this.#mean = mean;
    this.#variance = variance;
  }
}
