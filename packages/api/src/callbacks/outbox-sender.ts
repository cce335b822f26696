import { randomBytes } from 'node:crypto';
import { type GrowingPauses, messageOf, type OutboxItem } from '@sluice/core';
import { shownUrl } from './callback-client.js';
import { OutboxLine, type OutboxLineOptions } from './outbox-line.js';

export type OutboxSenderOptions = Omit<OutboxLineOptions, 'random' | 'delays'> &
  Partial<Pick<OutboxLineOptions, 'random' | 'delays'>>;

/** How long a callback is let be after it failed. */
const DELAYS: GrowingPauses = { firstMs: 1000, longestMs: 300_000 };
/** More than this on its way to the disk at once is a flood; its rest is dropped, and said so. */
const MAX_BEING_KEPT = 10_000;

/**
 * Delivers news to URLs, to each in the order in which it was put, one at a time: at least once, over restarts too. A
 * URL that is down holds up its own line only.
 */
export class OutboxSender {
  readonly #options: OutboxLineOptions;
  readonly #lines = new Map<string, OutboxLine>();
  readonly #keeping = new Set<Promise<void>>();
  #isClosed = false;

  constructor(options: OutboxSenderOptions) {
    const { random = Math.random, delays = DELAYS } = options;
    this.#options = { ...options, random, delays };
  }

  /** Takes up what an earlier run of the server left. */
  async start(): Promise<void> {
    for (const url of await this.#options.outbox.urls()) this.#wake(url);
  }

  /** Puts news into the outbox, and sees to it that it arrives. Never throws; what can't be kept is logged. */
  send(url: string, body: string): void {
    const { outbox, clock, log } = this.#options;
    if (this.#isClosed || this.#keeping.size >= MAX_BEING_KEPT) {
      log.warn({ url: shownUrl(url), closed: this.#isClosed }, 'a callback was dropped before it could be kept');
      return;
    }
    const now = clock.wall();
    const item: OutboxItem = {
      id: randomBytes(12).toString('hex'),
      url,
      headers: { 'content-type': 'application/json' },
      body,
      createdAt: now,
      attempts: 0,
      nextAt: now,
    };
    const kept = outbox
      .put(item)
      .then(
        () => this.#wake(url),
        (error) => log.error({ url: shownUrl(url), detail: messageOf(error) }, 'a callback could not be kept'),
      )
      .finally(() => this.#keeping.delete(kept));
    this.#keeping.add(kept);
  }

  /** Waits for what is being kept and for requests under way; the rest stays in the outbox for the next start. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#keeping);
    await Promise.all([...this.#lines.values()].map((line) => line.stop()));
  }

  #wake(url: string): void {
    if (this.#isClosed) return;
    const line = this.#lines.get(url) ?? new OutboxLine(url, this.#options);
    this.#lines.set(url, line);
    line.wake();
  }
}
