import { MediaError } from '../errors.js';

/** Reads the fields of a box in order. Throws `truncated` past its end. */
export class FieldReader {
  readonly #of: string;
  readonly #bytes: Buffer;
  #at = 0;

  /** @param of what is read, for messages: `a tfhd box` */
  constructor(of: string, bytes: Buffer) {
    this.#of = of;
    this.#bytes = bytes;
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  u8(): number {
    return this.#bytes.readUInt8(this.#take(1));
  }

  u16(): number {
    return this.#bytes.readUInt16BE(this.#take(2));
  }

  u32(): number {
    return this.#bytes.readUInt32BE(this.#take(4));
  }

  i32(): number {
    return this.#bytes.readInt32BE(this.#take(4));
  }

  /** @throws {MediaError} `malformed` where it is more than a number counts exactly */
  u64(): number {
    return this.#safe(this.#bytes.readBigUInt64BE(this.#take(8)));
  }

  /** @throws {MediaError} `malformed` where it is more than a number counts exactly */
  i64(): number {
    return this.#safe(this.#bytes.readBigInt64BE(this.#take(8)));
  }

  /** Four characters of a type or a brand. */
  fourCc(): string {
    return this.bytes(4).toString('latin1');
  }

  /** A version and its flags, ISO 14496-12 §4.2. */
  version(): { readonly version: number; readonly flags: number } {
    const word = this.u32();
    return { version: word >>> 24, flags: word & 0xff_ffff };
  }

  /** A view. */
  bytes(length: number): Buffer {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** All that is left, as a view. */
  rest(): Buffer {
    return this.bytes(this.remaining);
  }

  skip(length: number): void {
    this.#take(length);
  }

  /** A string up to its zero byte. */
  cString(): string {
    const end = this.#bytes.indexOf(0, this.#at);
    if (end < 0) throw new MediaError('truncated', `${this.#of} with a string that doesn't end`);
    const text = this.#bytes.toString('utf8', this.#at, end);
    this.#at = end + 1;
    return text;
  }

  /**
   * A number of entries, for all of which there has to be room.
   *
   * @throws {MediaError} `truncated`
   */
  count(entrySize: number): number {
    const count = this.u32();
    if (count * entrySize > this.remaining) {
      throw new MediaError('truncated', `${this.#of} of ${count} entries in ${this.remaining} bytes`);
    }
    return count;
  }

  #take(length: number): number {
    const at = this.#at;
    if (length > this.remaining) {
      throw new MediaError('truncated', `${this.#of}: ${length} bytes wanted, ${this.remaining} left`);
    }
    this.#at += length;
    return at;
  }

  #safe(value: bigint): number {
    const number = Number(value);
    if (!Number.isSafeInteger(number)) throw new MediaError('malformed', `${this.#of} with the number ${value}`);
    return number;
  }
}
