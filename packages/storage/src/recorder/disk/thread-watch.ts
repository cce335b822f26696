/** Looks per time that a call may take. */
const LOOKS = 10;
const CALLS = 0;
const MESSAGES = 1;
const COUNTERS = 2;

/** A thread's side of the watch on it. */
export class ThreadProgress {
  readonly #counters: Int32Array;

  /** @param shared of the `ThreadWatch` */
  constructor(shared: SharedArrayBuffer) {
    this.#counters = new Int32Array(shared);
  }

  /** A call of the system has come back. */
  step(): void {
    Atomics.add(this.#counters, CALLS, 1);
  }

  /** So many messages are done with. */
  done(messages: number): void {
    Atomics.add(this.#counters, MESSAGES, messages);
  }
}

/**
 * A watch on a thread that makes synchronous calls of the system: a disk that doesn't answer stops it in the middle of
 * one, and only another thread can tell.
 */
export class ThreadWatch {
  /** Two counters of 32 bits that wrap: calls of the system, and messages that are done with. */
  readonly shared = new SharedArrayBuffer(COUNTERS * Int32Array.BYTES_PER_ELEMENT);
  readonly #counters = new Int32Array(this.shared);
  readonly #timer: NodeJS.Timeout;
  readonly #tell: (isHung: boolean) => void;
  #sent = 0;
  #seen = 0;
  #stuckLooks = 0;
  #isHung = false;

  /**
   * @param options.slowMs a call that takes longer hangs
   * @param options.tell that one hangs, or has come back after all
   */
  constructor(options: { readonly slowMs: number; readonly tell: (isHung: boolean) => void }) {
    this.#tell = options.tell;
    this.#timer = setInterval(() => this.#look(), options.slowMs / LOOKS).unref();
  }

  get isHung(): boolean {
    return this.#isHung;
  }

  /** A message was sent to the thread. */
  sent(): void {
    this.#sent = (this.#sent + 1) | 0;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** By looks rather than by a clock: after the whole process was stopped for a while, nothing hangs. */
  #look(): void {
    const isIdle = Atomics.load(this.#counters, MESSAGES) === this.#sent;
    const calls = Atomics.load(this.#counters, CALLS);
    this.#stuckLooks = isIdle || calls !== this.#seen ? 0 : this.#stuckLooks + 1;
    this.#seen = calls;
    const isHung = this.#stuckLooks >= LOOKS;
    if (isHung === this.#isHung) return;
    this.#isHung = isHung;
    this.#tell(isHung);
  }
}
