import { malformed } from '../errors.js';

/** RFC 5246 §7.4, RFC 6347 §4.3.2. */
export const HANDSHAKE = {
  clientHello: 1,
  serverHello: 2,
  helloVerifyRequest: 3,
  certificate: 11,
  serverKeyExchange: 12,
  certificateRequest: 13,
  serverHelloDone: 14,
  certificateVerify: 15,
  clientKeyExchange: 16,
  finished: 20,
} as const;

export interface HandshakeMessage {
  readonly type: number;
  /** Of the sender's messages, in their order. */
  readonly sequence: number;
  readonly body: Buffer;
}

const HEADER_BYTES = 12;
/** Certificates are the largest; those of browsers have half a kilobyte. */
const LONGEST_MESSAGE = 16_384;
/** How far ahead of what is missing fragments are kept. */
const MOST_AHEAD = 10;

/** A message in one piece, RFC 6347 §4.2.2: as the transcript has it, whatever pieces it came in. */
export function writeMessage({ type, sequence, body }: HandshakeMessage): Buffer {
  return writeFragment({ type, sequence, body }, 0, body.length);
}

/** A message in pieces that fit into datagrams. */
export function writeFragments(message: HandshakeMessage, mostBytes: number): Buffer[] {
  const fragments: Buffer[] = [];
  const most = mostBytes - HEADER_BYTES;
  let at = 0;
  do {
    const length = Math.min(most, message.body.length - at);
    fragments.push(writeFragment(message, at, length));
    at += length;
  } while (at < message.body.length);
  return fragments;
}

function writeFragment({ type, sequence, body }: HandshakeMessage, offset: number, length: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(type, 0);
  header.writeUIntBE(body.length, 1, 3);
  header.writeUInt16BE(sequence, 4);
  header.writeUIntBE(offset, 6, 3);
  header.writeUIntBE(length, 9, 3);
  return Buffer.concat([header, body.subarray(offset, offset + length)]);
}

interface Gathering {
  readonly type: number;
  readonly isSealed: boolean;
  readonly body: Buffer;
  /** A bit for each byte of the body. */
  readonly present: Uint8Array;
  missing: number;
}

function newGathering(type: number, isSealed: boolean, total: number): Gathering {
  return { type, isSealed, body: Buffer.alloc(total), present: new Uint8Array(Math.ceil(total / 8)), missing: total };
}

/** Puts a peer's messages together and in order, RFC 6347 §4.2.3. */
export class MessageGathering {
  readonly #messages = new Map<number, Gathering>();
  #next = 0;

  /**
   * Takes the content of a handshake record: one or more fragments.
   *
   * @param isSealed whether the record was
   * @returns whether it repeats something that was read before: the peer has missed our answer
   * @throws {WebRtcError} `malformed`
   */
  push(fragment: Buffer, isSealed: boolean): boolean {
    let isRepeated = false;
    for (let at = 0; at < fragment.length; ) {
      if (fragment.length - at < HEADER_BYTES) throw malformed('a handshake message without a header');
      const sequence = fragment.readUInt16BE(at + 4);
      const length = fragment.readUIntBE(at + 9, 3);
      const begin = at + HEADER_BYTES;
      if (begin + length > fragment.length) throw malformed(`a handshake fragment of ${length} bytes is cut off`);
      if (sequence < this.#next) isRepeated = true;
      else if (sequence < this.#next + MOST_AHEAD) this.#add(fragment, at, sequence, length, isSealed);
      at = begin + length;
    }
    return isRepeated;
  }

  /** The next whole message. */
  take(): (HandshakeMessage & { readonly isSealed: boolean }) | undefined {
    const message = this.#messages.get(this.#next);
    if (message === undefined || message.missing > 0) return undefined;
    this.#messages.delete(this.#next);
    const { type, body, isSealed } = message;
    return { type, sequence: this.#next++, body, isSealed };
  }

  #add(fragment: Buffer, at: number, sequence: number, length: number, isSealed: boolean): void {
    const total = fragment.readUIntBE(at + 1, 3);
    const offset = fragment.readUIntBE(at + 6, 3);
    if (total > LONGEST_MESSAGE) throw malformed(`a handshake message of ${total} bytes`);
    if (offset + length > total) throw malformed('a handshake fragment reaches beyond its message');
    const type = fragment.readUInt8(at);
    const message = this.#messages.get(sequence) ?? newGathering(type, isSealed, total);
    if (message.type !== type || message.body.length !== total || message.isSealed !== isSealed) {
      throw malformed('handshake fragments that differ');
    }
    this.#messages.set(sequence, message);
    fragment.copy(message.body, offset, at + HEADER_BYTES, at + HEADER_BYTES + length);
    for (let byte = offset; byte < offset + length; byte++) {
      const [eight, bit] = [byte >>> 3, 1 << (byte & 7)];
      const present = message.present[eight] ?? 0;
      if ((present & bit) === 0) message.missing -= 1;
      message.present[eight] = present | bit;
    }
  }
}
