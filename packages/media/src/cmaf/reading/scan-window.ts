import { MediaError } from '../../errors.js';
import { type BoxHeader, type FoundBox, readBoxHeader } from './boxes.js';

/** A stretch of a file that is wanted. */
export interface FileRead {
  readonly offset: number;
  readonly length: number;
}

/** Yields what it wants to read, and is given it: fewer bytes only where the file ends. */
export type Reading<Result> = Generator<FileRead, Result, Buffer>;

/** As much is read at once at least: a box's header with most of a fragment's `moof`. */
const LOOK_AHEAD = 4096;
const LONGEST_HEADER = 16;

/** The bytes of a file that were read last, so that what lies together is read at once. */
export class ScanWindow {
  /** Of the file. Nothing behind it is asked for. */
  readonly length: number;
  #start = 0;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(length: number) {
    this.length = length;
  }

  /** Up to `count` bytes from `offset` on: fewer where the file ends. */
  *bytes(offset: number, count: number): Reading<Buffer> {
    const wanted = Math.max(Math.min(count, this.length - offset), 0);
    const at = offset - this.#start;
    if (at < 0 || at + wanted > this.#bytes.length) {
      const length = Math.min(Math.max(wanted, LOOK_AHEAD), Math.max(this.length - offset, 0));
      this.#bytes = length === 0 ? Buffer.alloc(0) : yield { offset, length };
      this.#start = offset;
    }
    const from = offset - this.#start;
    return this.#bytes.subarray(from, from + wanted);
  }

  /**
   * The header of the box at `offset`; undefined where the file ends in it.
   *
   * @throws {MediaError} `malformed`
   */
  *header(offset: number): Reading<BoxHeader | undefined> {
    return readBoxHeader(yield* this.bytes(offset, LONGEST_HEADER));
  }

  /**
   * A box as a whole.
   *
   * @throws {MediaError} `truncated` where the file ends in it, `too-large` past `maxSize`
   */
  *box(offset: number, header: BoxHeader, maxSize: number): Reading<FoundBox> {
    const { type, headerLength, size = this.length - offset } = header;
    if (size > this.length - offset) {
      throw new MediaError(
        'truncated',
        `a ${type} box of ${size} bytes in ${this.length - offset}: the file broke off`,
      );
    }
    if (size > maxSize) throw new MediaError('too-large', `a ${type} box of ${size} bytes, ${maxSize} are read`);
    const bytes = yield* this.bytes(offset, size);
    if (bytes.length < size) throw new MediaError('truncated', `a ${type} box of ${size} bytes: the file was cut`);
    return { type, start: offset, payload: bytes.subarray(headerLength) };
  }
}
