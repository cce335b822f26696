/** A `Date` header has whole seconds, and the way takes some of them; less than this is not worth believing. */
const BELIEVED_FROM_MS = 1500;
const HALF_A_SECOND_MS = 500;

/**
 * How far the server's clock is ahead of ours, in milliseconds; 0 where they agree as well as can be told.
 *
 * @param date the `Date` header of an answer, RFC 9110 §6.6.1
 * @param sentAt our clock when the request left
 * @param receivedAt our clock when the answer came
 */
export function clockOffset(date: string | null, sentAt: number, receivedAt: number): number {
  const told = Date.parse(date ?? '');
  if (Number.isNaN(told)) return 0;
  const offset = told + HALF_A_SECOND_MS - (sentAt + receivedAt) / 2;
  return Math.abs(offset) < BELIEVED_FROM_MS ? 0 : offset;
}

/** The server's time, by which latencies and durations are told. */
export class ServerClock {
  #offset = 0;

  now(): number {
    return Date.now() + this.#offset;
  }

  observe(date: string | null, sentAt: number, receivedAt: number): void {
    this.#offset = clockOffset(date, sentAt, receivedAt);
  }
}
