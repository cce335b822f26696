import { messageOf } from './errors.js';
import { growingPause } from './growing-pause.js';

/**
 * Once through something that ends or fails now and then. The signal is aborted when it is not wanted any more; it
 * resolves with why it ended, and rejects with why it could not begin.
 */
export type Attempt = (signal: AbortSignal) => Promise<string>;

export interface PersistentOptions {
  readonly attempt: Attempt;
  /** It ended or failed, and begins again in so many milliseconds. */
  readonly onPause: (reason: string, delayMs: number) => void;
  /** 0 to 1. */
  readonly random: () => number;
}

const DELAYS = { firstMs: 1000, longestMs: 30_000 } as const;
/** What went on for so long was no failure: the next try comes soon. */
const GOOD_AFTER_MS = 30_000;

/** Does something over and over, with growing pauses while it fails. */
export class Persistent {
  readonly #options: PersistentOptions;
  readonly #abort = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #running: Promise<void> = Promise.resolve();

  constructor(options: PersistentOptions) {
    this.#options = options;
    this.#begin();
  }

  /** Ends it, and waits until it is over. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#abort.abort();
    await this.#running;
  }

  #begin(): void {
    this.#running = this.#once();
  }

  async #once(): Promise<void> {
    const { attempt, onPause, random } = this.#options;
    const { signal } = this.#abort;
    const began = performance.now();
    let reason: string;
    try {
      reason = await attempt(signal);
    } catch (error) {
      reason = messageOf(error);
    }
    if (signal.aborted) return;
    this.#failures = performance.now() - began >= GOOD_AFTER_MS ? 0 : this.#failures + 1;
    const delayMs = growingPause(this.#failures, DELAYS, random());
    onPause(reason, delayMs);
    this.#timer = setTimeout(() => this.#begin(), delayMs);
  }
}
