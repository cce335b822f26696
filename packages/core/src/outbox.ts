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

/** Keeps news over restarts, in a line for each URL. */
export interface Outbox {
  /** Puts an item at the end of its line, or replaces the item of the same id where it stands. */
  put(item: OutboxItem): Promise<void>;
  /** The URLs for which something waits. */
  urls(): Promise<readonly string[]>;
  /** The head of a line: what was put first comes first. */
  oldest(url: string, limit: number): Promise<readonly OutboxItem[]>;
  delete(id: string): Promise<void>;
  count(): Promise<number>;
}
