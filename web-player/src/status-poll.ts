import type { StatusClient, StreamStatus } from './status-client.js';

const ASK_AT_ONCE_MS = 500;
/** Many who wait for the same show shouldn't all ask at the same moment. */
const ASK_SPREAD_MS = 400;

export interface StatusPollOptions {
  readonly path: string;
  readonly client: StatusClient;
  /** For the server, with the credential of just now. */
  readonly query: () => string;
  readonly heard: (status: StreamStatus) => void;
  /** @param httpStatus the server's answer to this viewer */
  readonly refused: (httpStatus: number) => void;
  readonly unreachable: () => void;
}

/** Asks the server now and then how a stream stands. All times are milliseconds of the same clock. */
export class StatusPoll {
  readonly #options: StatusPollOptions;
  #isAsking = false;
  #isClosed = false;
  #askedAt = Number.NEGATIVE_INFINITY;
  #isUnreachable = false;

  constructor(options: StatusPollOptions) {
    this.#options = options;
  }

  /** The server gave no answer when it was last asked. */
  get isUnreachable(): boolean {
    return this.#isUnreachable;
  }

  /** Asks where it is time to. */
  tick(now: number, interval: number): void {
    if (now - this.#askedAt >= interval) void this.#ask(now);
  }

  /** Asks now, unless it has just been done. */
  soon(now: number): void {
    if (now - this.#askedAt > ASK_AT_ONCE_MS) void this.#ask(now);
  }

  /** Asks at the next tick. */
  next(): void {
    this.#askedAt = Number.NEGATIVE_INFINITY;
  }

  /** Sets when it is to be asked the next time, with an interval as in {@link tick}. */
  askAt(time: number, interval: number): void {
    this.#askedAt = time - interval;
  }

  /** Answers that are still to come are not told. */
  close(): void {
    this.#isClosed = true;
  }

  async #ask(now: number): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    this.#askedAt = now + (Math.random() - 0.5) * ASK_SPREAD_MS;
    const { client, path, query, heard, refused, unreachable } = this.#options;
    const answer = await client.stream(path, query()).catch(() => 'unreachable' as const);
    this.#isAsking = false;
    if (this.#isClosed) return;
    this.#isUnreachable = answer === 'unreachable';
    if (answer === 'unreachable') unreachable();
    else if (typeof answer === 'number') refused(answer);
    else heard(answer);
  }
}
