import {
  type Clock,
  type EventBus,
  type Logger,
  messageOf,
  type SessionHistory,
  type SessionRecord,
  sessionRecord,
} from '@sluice/core';
import { millis } from '@sluice/media';

const FLUSH_MS = 1000;
/** More than this in a second is a flood, and its rest is counted, not kept. */
const MAX_PENDING = 10_000;
const DAY_MS = 86_400_000;
/** For as long as past sessions are kept. */
const KEPT_DAYS = 30;

/** Writes down the sessions that are over, a second's worth at a time. */
export class HistoryWriter {
  readonly #history: SessionHistory;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #stopListening: () => void;
  readonly #timers: readonly NodeJS.Timeout[];
  #pending: SessionRecord[] = [];
  #left = 0;

  constructor(options: { history: SessionHistory; events: EventBus; clock: Clock; log: Logger }) {
    this.#history = options.history;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#stopListening = options.events.on('session-closed', ({ session, reason, traffic }) => {
      if (this.#pending.length >= MAX_PENDING) this.#left += 1;
      else this.#pending.push(sessionRecord({ session, traffic }, reason, this.#clock.wall()));
    });
    this.#timers = [setInterval(() => void this.#flush(), FLUSH_MS), setInterval(() => void this.#prune(), DAY_MS)];
    for (const timer of this.#timers) timer.unref();
  }

  /** Writes what is left. */
  async close(): Promise<void> {
    this.#stopListening();
    for (const timer of this.#timers) clearInterval(timer);
    await this.#flush();
  }

  async #flush(): Promise<void> {
    const records = this.#pending;
    if (records.length === 0) return;
    this.#pending = [];
    try {
      await this.#history.append(records);
    } catch (error) {
      this.#left += records.length;
      this.#log.error({ detail: messageOf(error) }, 'past sessions could not be kept');
    }
    if (this.#left > 0) this.#log.warn({ sessions: this.#left }, 'the history of past sessions has a gap');
    this.#left = 0;
  }

  async #prune(): Promise<void> {
    try {
      await this.#history.prune(millis(this.#clock.wall() - KEPT_DAYS * DAY_MS));
    } catch (error) {
      this.#log.error({ detail: messageOf(error) }, 'old sessions could not be forgotten');
    }
  }
}
