/** What a delta says of a list: entries that are new or have changed, with what has changed, and those that are gone. */
export interface ListDelta {
  readonly set?: readonly Readonly<Record<string, unknown>>[];
  readonly gone?: readonly string[];
}

/** A list of the feed by key. An entry that changes becomes another object, so that `===` tells. */
export class Collection<T> {
  readonly #key: keyof T & string;
  #entries = new Map<string, T>();

  /** @param key the field that names an entry */
  constructor(key: keyof T & string) {
    this.#key = key;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): T | undefined {
    return this.#entries.get(key);
  }

  values(): T[] {
    return [...this.#entries.values()];
  }

  replace(entries: readonly T[]): void {
    this.#entries = new Map(entries.map((entry) => [String(entry[this.#key]), entry]));
  }

  apply({ set = [], gone = [] }: ListDelta): void {
    for (const changed of set) {
      const key = String(changed[this.#key]);
      // The server sends whole entries first, and what has changed of them afterwards.
      this.#entries.set(key, { ...this.#entries.get(key), ...changed } as T);
    }
    for (const key of gone) this.#entries.delete(key);
  }
}
