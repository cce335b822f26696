import { malformed } from '../errors.js';

/** Reads one field after the other; nothing is taken that isn't there. */
export class Cursor {
  readonly #bytes: Buffer;
  readonly #what: string;
  #at = 0;

  /** @param what for the error */
  constructor(bytes: Buffer, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** Nothing may follow. @throws {WebRtcError} `malformed` */
  end(): void {
    if (!this.isAtEnd) throw malformed(`${this.#what} is longer than its fields`);
  }

  /** An unsigned number. @throws {WebRtcError} `malformed` */
  number(bytes: 1 | 2 | 3): number {
    return this.take(bytes).readUIntBE(0, bytes);
  }

  /** @throws {WebRtcError} `malformed` */
  take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw malformed(`${this.#what} is cut off`);
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  /** A field behind its own length. @throws {WebRtcError} `malformed` */
  vector(lengthBytes: 1 | 2 | 3): Buffer {
    return this.take(this.number(lengthBytes));
  }
}

/** A field behind its own length. */
export function vector(lengthBytes: 1 | 2 | 3, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const length = Buffer.alloc(lengthBytes);
  length.writeUIntBE(content.length, 0, lengthBytes);
  return Buffer.concat([length, content]);
}

export function uint16(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  for (const [at, value] of values.entries()) bytes.writeUInt16BE(value, at * 2);
  return bytes;
}
