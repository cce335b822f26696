/** Our peers' heads have some hundred bytes. */
const MAX_HEAD = 16 * 1024;
const LF = 0x0a;

const HEAD = 0;
const WHOLE = 1;
const CHUNK_SIZE = 2;
const CHUNK_DATA = 3;
const CHUNK_END = 4;
const ENDED = 5;

/** Where the body's bytes go, in pieces. */
export interface BodySink {
  feed(bytes: Buffer, start: number, end: number): void;
}

/** An answer that isn't a stream. */
export class HttpAnswerError extends Error {
  override readonly name = 'HttpAnswerError';
}

/** Takes the head and the chunked coding (RFC 9112 §7.1) off an HTTP/1.1 answer, wherever it is cut. */
export class HttpBody {
  readonly #sink: BodySink;
  #state = HEAD;
  #head = '';
  #chunkLeft = 0;
  #extension = false;

  constructor(sink: BodySink) {
    this.#sink = sink;
  }

  get headRead(): boolean {
    return this.#state !== HEAD;
  }

  /** @throws {HttpAnswerError} for any status but 200, and for what is no HTTP */
  feed(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end) {
      switch (this.#state) {
        case WHOLE:
          this.#sink.feed(bytes, at, end);
          return;
        case CHUNK_DATA: {
          const length = Math.min(end - at, this.#chunkLeft);
          this.#sink.feed(bytes, at, at + length);
          at += length;
          this.#chunkLeft -= length;
          if (this.#chunkLeft === 0) this.#state = CHUNK_END;
          break;
        }
        case CHUNK_SIZE:
          this.#sizeByte(bytes[at++] ?? 0);
          break;
        case CHUNK_END:
          if (bytes[at++] === LF) this.#state = CHUNK_SIZE;
          break;
        case HEAD:
          this.#headByte(bytes[at++] ?? 0);
          break;
        default:
          return;
      }
    }
  }

  #sizeByte(byte: number): void {
    if (byte === LF) {
      this.#state = this.#chunkLeft === 0 ? ENDED : CHUNK_DATA;
      this.#extension = false;
      return;
    }
    const digit = hexDigit(byte);
    if (digit < 0) this.#extension = true;
    if (!this.#extension) this.#chunkLeft = this.#chunkLeft * 16 + digit;
  }

  #headByte(byte: number): void {
    this.#head += String.fromCharCode(byte);
    if (this.#head.length > MAX_HEAD) throw new HttpAnswerError(`no end of the HTTP head within ${MAX_HEAD} bytes`);
    if (byte !== LF || !this.#head.endsWith('\r\n\r\n')) return;
    const status = this.#head.slice(0, this.#head.indexOf('\r\n'));
    if (!/^HTTP\/1\.[01] 200\b/.test(status)) throw new HttpAnswerError(`the server answered "${status}"`);
    this.#state = /\r\ntransfer-encoding:[^\r]*\bchunked\b/i.test(this.#head) ? CHUNK_SIZE : WHOLE;
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
