import type { Millis } from '@sluice/media';

/** News on its way to a URL outside, kept until it has been taken there. */
export interface OutboxItem {
  readonly id: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Wall clock, as are the other times. */
  readonly createdAt: Millis;
  /** How often it was tried. */
  readonly attempts: number;
  /** Not to be tried before this. */
  readonly nextAt: Millis;
}

/** Keeps news over restarts. */
export interface Outbox {
  /** Inserts, or replaces the item of the same id. */
  put(item: OutboxItem): Promise<void>;
  /** Those that may be tried now, oldest first. */
  due(now: Millis, limit: number): Promise<readonly OutboxItem[]>;
  delete(id: string): Promise<void>;
  count(): Promise<number>;
}
