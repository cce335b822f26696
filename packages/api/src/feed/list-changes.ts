import { isDeepStrictEqual } from 'node:util';

type Entry = Readonly<Record<string, unknown>>;

/** What has changed of a list since the time before. */
export interface ListDelta {
  /** New entries whole; of others the key, and the fields that are different. */
  readonly set?: readonly Entry[];
  /** Keys of those that are gone. */
  readonly gone?: readonly string[];
}

/** Finds out what changes in a list of entries, each known by one of its fields. */
export class ListChanges<T extends Entry> {
  readonly #key: keyof T & string;
  #entries = new Map<string, T>();

  /** @param key the field that names an entry */
  constructor(key: keyof T & string) {
    this.#key = key;
  }

  /** The entries, as they were told last. */
  get entries(): ReadonlyMap<string, T> {
    return this.#entries;
  }

  /** @returns what is different from the time before; undefined where nothing is */
  update(entries: readonly T[]): ListDelta | undefined {
    const before = this.#entries;
    const now = new Map<string, T>();
    const set: Entry[] = [];
    for (const entry of entries) {
      const key = String(entry[this.#key]);
      now.set(key, entry);
      const known = before.get(key);
      const changed = known === undefined ? entry : changedFields(known, entry);
      if (changed !== undefined) set.push(changed === entry ? entry : { [this.#key]: key, ...changed });
    }
    const gone = [...before.keys()].filter((key) => !now.has(key));
    this.#entries = now;
    if (set.length === 0 && gone.length === 0) return undefined;
    return { ...(set.length === 0 ? {} : { set }), ...(gone.length === 0 ? {} : { gone }) };
  }
}

/** The fields that are different; undefined where none is. */
export function changedFields(before: Entry, after: Entry): Entry | undefined {
  let changed: Record<string, unknown> | undefined;
  for (const [name, value] of Object.entries(after)) {
    const known = before[name];
    if (known === value || (typeof value === 'object' && isDeepStrictEqual(known, value))) continue;
    changed ??= {};
    changed[name] = value;
  }
  return changed;
}
