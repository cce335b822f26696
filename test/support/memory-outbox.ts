import type { Outbox, OutboxItem } from '@sluice/core';

/** An outbox for as long as a test holds it: hand it to a second sender, and the server was "restarted". */
export class MemoryOutbox implements Outbox {
  readonly items = new Map<string, OutboxItem>();

  async put(item: OutboxItem): Promise<void> {
    this.items.set(item.id, item);
  }

  async urls(): Promise<string[]> {
    return [...new Set([...this.items.values()].map(({ url }) => url))];
  }

  async oldest(url: string, limit: number): Promise<OutboxItem[]> {
    return [...this.items.values()].filter((item) => item.url === url).slice(0, limit);
  }

  async delete(id: string): Promise<void> {
    this.items.delete(id);
  }

  async count(): Promise<number> {
    return this.items.size;
  }
}
