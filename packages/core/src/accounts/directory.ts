import type { RecordStore } from '../record-store.js';
import type { RecordListener, SharedRecords } from '../shared-records.js';

/** Records of one kind, all in memory, written through to their store. */
export class Directory<T extends { readonly id: string }> implements SharedRecords<T> {
  readonly #records = new Map<string, T>();
  readonly #store: RecordStore<T>;
  readonly #listeners = new Set<RecordListener<T>>();

  private constructor(store: RecordStore<T>) {
    this.#store = store;
  }

  static async load<T extends { readonly id: string }>(store: RecordStore<T>): Promise<Directory<T>> {
    const directory = new Directory(store);
    for (const record of await store.load()) directory.#records.set(record.id, record);
    return directory;
  }

  get size(): number {
    return this.#records.size;
  }

  get(id: string): T | undefined {
    return this.#records.get(id);
  }

  find(matches: (record: T) => boolean): T | undefined {
    for (const record of this.#records.values()) if (matches(record)) return record;
    return undefined;
  }

  list(): T[] {
    return [...this.#records.values()];
  }

  /** In force at once; resolves when it would outlive a restart. */
  async put(record: T): Promise<T> {
    this.#records.set(record.id, record);
    for (const listener of this.#listeners) listener(record.id, record);
    await this.#store.put(record);
    return record;
  }

  /** @returns the record that was there */
  async delete(id: string): Promise<T | undefined> {
    const record = this.#records.get(id);
    if (record === undefined) return undefined;
    this.#records.delete(id);
    for (const listener of this.#listeners) listener(id, undefined);
    await this.#store.delete(id);
    return record;
  }

  onChange(listener: RecordListener<T>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async adopt(id: string, record: T | undefined): Promise<void> {
    if (record === undefined) {
      if (this.#records.delete(id)) await this.#store.delete(id);
    } else {
      this.#records.set(id, record);
      await this.#store.put(record);
    }
  }
}
