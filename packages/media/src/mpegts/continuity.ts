/** Watches the continuity counter of one PID, which counts packets with payload modulo 16. ISO 13818-1 §2.4.3.3. */
export class ContinuityWatch {
  #counter: number | undefined;
  #payload: Buffer | undefined;

  /**
   * A counter that repeats is a duplicate if its payload repeats too, and otherwise a gap of 15 packets, which is
   * what the loss of a few datagrams in a row can look like. A gap of 16 looks like none.
   */
  check(counter: number, payload: Buffer): 'next' | 'duplicate' | 'gap' {
    const last = this.#counter;
    if (last === counter && this.#payload?.equals(payload)) return 'duplicate';
    this.#counter = counter;
    this.#payload = payload;
    return last === undefined || counter === ((last + 1) & 0xf) ? 'next' : 'gap';
  }
}
