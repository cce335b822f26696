/**
 * Keeps records of one kind over restarts. Whoever owns them holds them all in memory and writes changes through, so
 * that no request waits for a disk.
 */
export interface RecordStore<T extends { readonly id: string }> {
  load(): Promise<readonly T[]>;
  /** Inserts, or replaces the record of the same id. */
  put(record: T): Promise<void>;
  delete(id: string): Promise<void>;
}

/** A store for as long as the process lives. */
export function memoryStore<T extends { readonly id: string }>(): RecordStore<T> {
  const records = new Map<string, T>();
  return {
    load: async () => [...records.values()],
    put: async (record) => void records.set(record.id, record),
    delete: async (id) => void records.delete(id),
  };
}
