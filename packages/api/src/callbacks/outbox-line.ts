import {
  type Clock,
  type GrowingPauses,
  growingPause,
  type Logger,
  messageOf,
  type Outbox,
  type OutboxItem,
} from '@sluice/core';
import { millis } from '@sluice/media';
import type { CallbackSettings } from './callback-body.js';
import { type CallbackAnswer, type CallbackClient, shownUrl } from './callback-client.js';
import { saysYes } from './srs-answer.js';

export interface OutboxLineOptions {
  readonly outbox: Outbox;
  readonly client: CallbackClient;
  readonly settings: () => CallbackSettings;
  readonly clock: Clock;
  readonly log: Logger;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly delays: GrowingPauses;
}

/** Fetched from the outbox at a time. */
const BATCH = 50;
/** The receiver has understood the request, and will never take this body. */
const NEVER_TAKEN: ReadonlySet<number> = new Set([400, 413, 415, 422]);

/** The news for one URL: works off the line as long as it goes, and waits where it doesn't. */
export class OutboxLine {
  readonly #url: string;
  readonly #options: OutboxLineOptions;
  #run: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Something was put while the line was being worked off. */
  #hasNews = false;
  #isFailing = false;
  #isStopped = false;

  constructor(url: string, options: OutboxLineOptions) {
    this.#url = url;
    this.#options = options;
  }

  /** Says that there is something in the line. What waits to be tried again goes first. */
  wake(): void {
    this.#hasNews = true;
    if (this.#run !== undefined || this.#timer !== undefined || this.#isStopped) return;
    this.#run = this.#work().finally(() => {
      this.#run = undefined;
    });
  }

  /** Waits for a request under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#run;
  }

  async #work(): Promise<void> {
    const { log, delays } = this.#options;
    try {
      while (this.#hasNews && !this.#isStopped) {
        this.#hasNews = false;
        const waitMs = await this.#deliver();
        if (waitMs !== undefined) {
          this.#wakeIn(waitMs);
          return;
        }
      }
    } catch (error) {
      log.error({ url: shownUrl(this.#url), detail: messageOf(error) }, 'the outbox of callbacks failed');
      this.#wakeIn(delays.firstMs);
    }
  }

  #wakeIn(ms: number): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.wake();
    }, ms);
    this.#timer.unref();
  }

  /** @returns how long to wait, in ms, or undefined where the line is empty */
  async #deliver(): Promise<number | undefined> {
    const { outbox, clock } = this.#options;
    for (;;) {
      const items = await outbox.oldest(this.#url, BATCH);
      if (items.length === 0) return undefined;
      const left = this.#isFailing ? await this.#withoutExpired(items) : items;
      for (const item of left) {
        if (this.#isStopped) return undefined;
        const waitMs = item.nextAt - clock.wall();
        if (waitMs > 0) return Math.min(waitMs, this.#options.delays.longestMs);
        const failure = await this.#failureOf(item);
        this.#isFailing = failure !== undefined;
        if (failure !== undefined) return this.#afterFailure(item, failure);
        await outbox.delete(item.id);
      }
    }
  }

  /** A URL that is down isn't asked about what is too old: the line would never come to what is new. */
  async #withoutExpired(items: readonly OutboxItem[]): Promise<readonly OutboxItem[]> {
    const expired = items.filter((item) => this.#isExpired(item));
    for (const { id } of expired) await this.#options.outbox.delete(id);
    if (expired.length > 0) {
      this.#options.log.warn({ url: shownUrl(this.#url), count: expired.length }, 'callbacks were given up');
    }
    return items.filter((item) => !expired.includes(item));
  }

  #isExpired({ createdAt }: OutboxItem): boolean {
    const { clock, settings } = this.#options;
    return clock.wall() >= createdAt + settings().retrySeconds * 1000;
  }

  /** @returns how long to wait, in ms */
  async #afterFailure(item: OutboxItem, failure: string): Promise<number> {
    const { outbox, log, clock, random, delays } = this.#options;
    const attempts = item.attempts + 1;
    const waitMs = growingPause(attempts, delays, random());
    const url = shownUrl(this.#url);
    if (this.#isExpired(item)) {
      log.warn({ url, attempts, detail: failure }, 'a callback was given up');
      await outbox.delete(item.id);
    } else {
      if (attempts === 1) log.warn({ url, detail: failure }, 'a callback failed, and is tried again');
      await outbox.put({ ...item, attempts, nextAt: millis(clock.wall() + waitMs) });
    }
    return waitMs;
  }

  /** @returns why an item was not taken, or undefined where it was, or where it never will be */
  async #failureOf({ body, headers }: OutboxItem): Promise<string | undefined> {
    const { client, settings, log } = this.#options;
    const { timeoutMs, secret } = settings();
    let answer: CallbackAnswer;
    try {
      answer = await client.post({ url: this.#url, body, contentType: headers['content-type'], timeoutMs, secret });
    } catch (error) {
      return messageOf(error);
    }
    const { status } = answer;
    const url = shownUrl(this.#url);
    if (NEVER_TAKEN.has(status)) {
      log.warn({ url, status }, 'a callback was refused for good');
      return undefined;
    }
    if (status < 200 || status >= 300) return `status ${status}`;
    if (!saysYes(answer)) log.warn({ url, status }, 'a callback was taken, with an error for an answer');
    return undefined;
  }
}
