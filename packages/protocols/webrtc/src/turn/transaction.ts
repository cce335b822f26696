/** RFC 8489 §6.2.1: half a second, then twice as long each time. */
const FIRST_WAIT_MS = 500;
const MOST_SENDS = 7;

export interface StunTransactionOptions {
  readonly request: Buffer;
  /** TCP and TLS: nothing is sent again. */
  readonly isReliable: boolean;
  /** Milliseconds of a monotonic clock. */
  readonly now: number;
  /** No answer by then is none. */
  readonly timeoutMs: number;
}

/** One request and when it is sent: at once, and over UDP again while there is no answer, RFC 8489 §6.2. */
export class StunTransaction {
  readonly request: Buffer;
  readonly #deadline: number;
  readonly #isReliable: boolean;
  #nextAt: number;
  #wait = FIRST_WAIT_MS;
  #sends = 0;

  constructor({ request, isReliable, now, timeoutMs }: StunTransactionOptions) {
    this.request = request;
    this.#isReliable = isReliable;
    this.#deadline = now + timeoutMs;
    this.#nextAt = now;
  }

  /** What to do now. */
  poll(now: number): 'send' | 'wait' | 'give-up' {
    if (now >= this.#deadline) return 'give-up';
    if (now < this.#nextAt || this.#sends >= (this.#isReliable ? 1 : MOST_SENDS)) return 'wait';
    this.#sends++;
    this.#nextAt = now + this.#wait;
    this.#wait *= 2;
    return 'send';
  }

  /** Whether a message is the answer to this request. @param transaction the message's */
  isAnsweredBy(transaction: Buffer): boolean {
    return this.request.subarray(8, 20).equals(transaction);
  }
}
