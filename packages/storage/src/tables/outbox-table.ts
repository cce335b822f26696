import type { OutboxItem } from '@sluice/core';
import type { Database } from 'better-sqlite3';
import { RecordTable } from './records.js';

/** News that has not been delivered yet. */
export class OutboxTable {
  readonly #database: Database;
  readonly #records: RecordTable<OutboxItem>;

  constructor(database: Database) {
    this.#database = database;
    this.#records = new RecordTable<OutboxItem>(database, 'outbox', {
      id: 'plain',
      url: 'plain',
      headers: 'json',
      body: 'plain',
      createdAt: 'plain',
      attempts: 'plain',
      nextAt: 'plain',
    });
  }

  put(item: OutboxItem): void {
    this.#records.put(item);
  }

  delete(id: string): void {
    this.#records.delete(id);
  }

  urls(): string[] {
    return this.#database.prepare('SELECT DISTINCT url FROM outbox').pluck().all() as string[];
  }

  /** By `rowid`: the clock on the wall can be put back, the order in which rows came can't. */
  oldest(url: string, limit: number): OutboxItem[] {
    const rows = this.#database.prepare('SELECT * FROM outbox WHERE url = ? ORDER BY rowid LIMIT ?').all(url, limit);
    return rows.map((row) => {
      const item = row as OutboxItem & { headers: string };
      return { ...item, headers: JSON.parse(item.headers) as Record<string, string> };
    });
  }

  count(): number {
    return this.#database.prepare('SELECT count(*) FROM outbox').pluck().get() as number;
  }
}
