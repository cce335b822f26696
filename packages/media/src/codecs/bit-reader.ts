import { MediaError } from '../errors.js';

/** The most leading zeros of an Exp-Golomb code: values go up to 2^32 - 2. H.264 §7.2, §9.1 */
const MAX_GOLOMB_ZEROS = 31;

/** Reads bits from the most significant one on. Throws `truncated` past the end. */
export class BitReader {
  readonly #bytes: Buffer;
  #position = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Bits left. */
  get remaining(): number {
    return this.#bytes.length * 8 - this.#position;
  }

  /** Bits read. */
  get position(): number {
    return this.#position;
  }

  /** An unsigned number of `count` bits, 0 to 32. */
  bits(count: number): number {
    if (count > this.remaining) throw new MediaError('truncated', `${count} bits wanted, ${this.remaining} left`);
    let value = 0;
    for (let left = count; left > 0; ) {
      const byte = this.#bytes[this.#position >> 3] ?? 0;
      const available = 8 - (this.#position & 7);
      const taken = Math.min(available, left);
      value = value * 2 ** taken + ((byte >> (available - taken)) & ((1 << taken) - 1));
      this.#position += taken;
      left -= taken;
    }
    return value;
  }

  flag(): boolean {
    return this.bits(1) === 1;
  }

  skip(count: number): void {
    if (count > this.remaining) throw new MediaError('truncated', `${count} bits to skip, ${this.remaining} left`);
    this.#position += count;
  }

  /** Unsigned Exp-Golomb, ue(v), H.264 §9.1. */
  ue(): number {
    let zeros = 0;
    while (!this.flag()) {
      zeros += 1;
      if (zeros > MAX_GOLOMB_ZEROS)
        throw new MediaError('malformed', 'an Exp-Golomb code of more than 31 leading zeros');
    }
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  /** Signed Exp-Golomb, se(v), H.264 §9.1.1. */
  se(): number {
    const code = this.ue();
    return code % 2 === 0 ? 0 - code / 2 : (code + 1) / 2;
  }
}
