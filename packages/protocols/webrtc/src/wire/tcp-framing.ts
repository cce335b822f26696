import { malformed } from '../errors.js';

const LENGTH_BYTES = 2;
/** Of a DTLS record, the longest of what comes: RFC 6347 §4.1. */
const MOST_BYTES = 16 * 1024 + 64;

/** A datagram as it goes over TCP: behind its length, RFC 4571 §2. */
export function framed(pieces: readonly Buffer[]): Buffer {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const head = Buffer.allocUnsafe(LENGTH_BYTES);
  head.writeUInt16BE(length);
  return Buffer.concat([head, ...pieces], LENGTH_BYTES + length);
}

/** Finds the datagrams in what comes over TCP. */
export class FrameReader {
  #waiting: Buffer = Buffer.alloc(0);

  /**
   * Takes bytes as they come.
   *
   * @returns the datagrams that are complete
   * @throws {WebRtcError} `malformed` for one that is longer than any can be
   */
  push(bytes: Buffer): Buffer[] {
    const all = this.#waiting.length === 0 ? bytes : Buffer.concat([this.#waiting, bytes]);
    const datagrams: Buffer[] = [];
    let at = 0;
    while (at + LENGTH_BYTES <= all.length) {
      const length = all.readUInt16BE(at);
      if (length > MOST_BYTES) throw malformed(`a frame of ${length} bytes`);
      const end = at + LENGTH_BYTES + length;
      if (end > all.length) break;
      datagrams.push(all.subarray(at + LENGTH_BYTES, end));
      at = end;
    }
    this.#waiting = all.subarray(at);
    return datagrams;
  }
}
