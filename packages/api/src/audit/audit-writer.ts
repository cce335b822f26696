import { type AuditEntry, type AuditLog, type AuditTrail, type Clock, type Logger, messageOf } from '@sluice/core';
import { redactSecrets } from './redact.js';

/** Somewhere that audit entries go. Keeps its own faults to itself and its log. */
export interface AuditSink {
  write(entry: AuditEntry): void;
  /** The file may have been rotated away. */
  reopen?(): void;
  close(): Promise<void>;
}

const FLUSH_MS = 200;
const MAX_PENDING = 10_000;

/** Writes down what was done: to every sink, and a few at a time to the log that can be asked. */
export class AuditWriter implements AuditTrail {
  readonly #sinks: readonly AuditSink[];
  readonly #store: AuditLog;
  readonly #clock: Clock;
  readonly #log: Logger;
  #pending: AuditEntry[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(options: { sinks: readonly AuditSink[]; store: AuditLog; clock: Clock; log: Logger }) {
    this.#sinks = options.sinks;
    this.#store = options.store;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  record(entry: Omit<AuditEntry, 'at'>): void {
    const { detail } = entry;
    const clean: AuditEntry = {
      ...entry,
      at: this.#clock.wall(),
      target: redactSecrets(entry.target),
      detail: detail === undefined ? undefined : redactSecrets(detail),
    };
    for (const sink of this.#sinks) sink.write(clean);
    if (this.#pending.length >= MAX_PENDING) return;
    this.#pending.push(clean);
    this.#timer ??= setTimeout(() => void this.#flush(), FLUSH_MS);
  }

  reopen(): void {
    for (const sink of this.#sinks) sink.reopen?.();
  }

  /** Writes what is left, and closes the sinks. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#flush();
    await Promise.all(this.#sinks.map((sink) => sink.close()));
  }

  async #flush(): Promise<void> {
    this.#timer = undefined;
    const entries = this.#pending;
    if (entries.length === 0) return;
    this.#pending = [];
    try {
      await this.#store.append(entries);
    } catch (error) {
      this.#log.error({ entries: entries.length, detail: messageOf(error) }, 'audit entries could not be kept');
    }
  }
}
