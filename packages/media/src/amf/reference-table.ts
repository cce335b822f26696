import { MediaError } from '../errors.js';
import type { AmfCursor } from './cursor.js';
import type { AmfValue } from './value.js';

interface Entry {
  value: AmfValue;
  values: number;
  textBytes: number;
}

/**
 * The objects of a message that later values may refer to. AMF 0 §2.9, AMF 3 §2.2.
 *
 * A reference costs nothing on the wire and stands for all that it refers to: a few of them in each other multiply to
 * gigabytes as soon as somebody writes the value out. So each one is counted as if its values had been sent again.
 */
export class ReferenceTable {
  readonly #cursor: AmfCursor;
  readonly #entries: Entry[] = [];

  constructor(cursor: AmfCursor) {
    this.#cursor = cursor;
  }

  /** Reads a value that may be referred to. */
  define(read: () => AmfValue): AmfValue {
    const entry: Entry = { value: undefined, values: 0, textBytes: 0 };
    this.#entries.push(entry);
    const before = this.#cursor.spending;
    entry.value = read();
    const after = this.#cursor.spending;
    entry.values = after.values - before.values;
    entry.textBytes = after.textBytes - before.textBytes;
    return entry.value;
  }

  /** @returns undefined for an object that is still being read: circles aren't followed */
  resolve(index: number): AmfValue {
    const entry = this.#entries[index];
    if (entry === undefined) throw new MediaError('malformed', `AMF reference ${index} to nothing`);
    this.#cursor.spend(entry.values, entry.textBytes);
    return entry.value;
  }
}
