import { constants, crc32, deflateRawSync } from 'node:zlib';

/** RFC 1952 §2.3: deflate, no name, no time, unknown system. */
const GZIP_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
/** RFC 1951 §3.2: an empty last block. */
const LAST_BLOCK = Buffer.from([3, 0]);
const GZIP_TRAILER_BYTES = 8;

/** A stretch of text that is sent often, as part of longer ones. */
export class TextPiece {
  readonly text: Buffer;
  #deflated: Buffer | undefined;

  constructor(text: string) {
    this.text = Buffer.from(text);
  }

  /** As blocks of a deflate stream, which end at a byte and refer to nothing before them. */
  get deflated(): Buffer {
    this.#deflated ??= deflateRawSync(this.text, { level: 1, finishFlush: constants.Z_FULL_FLUSH });
    return this.#deflated;
  }
}

/** A text made of pieces, ready to be sent plain or zipped. The pieces are shared with other texts, not copied. */
export class SharedText {
  readonly plain: readonly Buffer[];
  readonly #pieces: readonly TextPiece[];
  #gzip: readonly Buffer[] | undefined;

  constructor(pieces: readonly TextPiece[]) {
    this.#pieces = pieces;
    this.plain = pieces.map(({ text }) => text);
  }

  /** RFC 1952. Made when it is first asked for; pieces that were zipped before are not zipped again. */
  get gzip(): readonly Buffer[] {
    this.#gzip ??= [GZIP_HEADER, ...this.#pieces.map(({ deflated }) => deflated), LAST_BLOCK, this.#trailer()];
    return this.#gzip;
  }

  /** Zips its pieces ahead of time. */
  zip(): void {
    for (const piece of this.#pieces) void piece.deflated;
  }

  toString(): string {
    return this.plain.join('');
  }

  #trailer(): Buffer {
    const trailer = Buffer.alloc(GZIP_TRAILER_BYTES);
    trailer.writeUInt32LE(this.plain.reduce((sum, text) => crc32(text, sum), 0));
    trailer.writeUInt32LE(this.plain.reduce((sum, { length }) => sum + length, 0) % 2 ** 32, 4);
    return trailer;
  }
}
