import { MediaError } from '../errors.js';
import { MAX_AMF_DEPTH, MAX_AMF_TEXT_BYTES, MAX_AMF_VALUES } from './value.js';

/** What has been read so far, as the budget counts it. */
export interface AmfSpending {
  readonly values: number;
  readonly textBytes: number;
}

/** A place in AMF bytes, with the budget that keeps hostile input cheap. Reads past the end throw `truncated`. */
export class AmfCursor {
  readonly bytes: Buffer;
  #position = 0;
  #depth = 0;
  #values = 0;
  #textBytes = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#position >= this.bytes.length;
  }

  get remaining(): number {
    return this.bytes.length - this.#position;
  }

  /** Moves on by `count` bytes and returns where they begin. */
  take(count: number): number {
    const start = this.#position;
    if (count > this.bytes.length - start) {
      throw new MediaError('truncated', `AMF wants ${count} bytes, ${this.bytes.length - start} are left`);
    }
    this.#position += count;
    return start;
  }

  u8(): number {
    return this.bytes.readUInt8(this.take(1));
  }

  peek(): number {
    return this.bytes[this.#position] ?? -1;
  }

  u16(): number {
    return this.bytes.readUInt16BE(this.take(2));
  }

  u32(): number {
    return this.bytes.readUInt32BE(this.take(4));
  }

  double(): number {
    return this.bytes.readDoubleBE(this.take(8));
  }

  utf8(length: number): string {
    const start = this.take(length);
    this.spend(0, length);
    return this.bytes.toString('utf8', start, start + length);
  }

  get spending(): AmfSpending {
    return { values: this.#values, textBytes: this.#textBytes };
  }

  /** Counts values and text against the budget: what is read, and again what a reference repeats. */
  spend(values: number, textBytes: number): void {
    this.#values += values;
    this.#textBytes += textBytes;
    if (this.#values > MAX_AMF_VALUES) throw new MediaError('too-large', `more than ${MAX_AMF_VALUES} AMF values`);
    if (this.#textBytes > MAX_AMF_TEXT_BYTES) {
      throw new MediaError('too-large', `more than ${MAX_AMF_TEXT_BYTES} bytes of AMF text`);
    }
  }

  enter(): void {
    this.#depth += 1;
    if (this.#depth > MAX_AMF_DEPTH) throw new MediaError('too-large', `AMF nested deeper than ${MAX_AMF_DEPTH}`);
  }

  leave(): void {
    this.#depth -= 1;
  }
}
