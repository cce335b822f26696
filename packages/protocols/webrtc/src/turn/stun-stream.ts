import { malformed } from '../errors.js';

const HEADER_BYTES = 20;
const CHANNEL_HEADER_BYTES = 4;

/** Cuts a byte stream (TCP, TLS) into STUN messages, RFC 8489 §6.2.2, and leaves out channel data, RFC 8656 §12.5. */
export class StunStream {
  #rest: Buffer = Buffer.alloc(0);

  /** @returns the messages that are complete by now. @throws {WebRtcError} `malformed` */
  push(bytes: Buffer): Buffer[] {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const messages: Buffer[] = [];
    for (;;) {
      const size = this.#sizeOfNext();
      if (size === undefined || size > this.#rest.length) return messages;
      const message = this.#rest.subarray(0, size);
      this.#rest = this.#rest.subarray(size);
      if ((message[0] ?? 0) < 0x40) messages.push(message);
    }
  }

  #sizeOfNext(): number | undefined {
    const first = this.#rest[0];
    if (first === undefined) return undefined;
    if (first >= 0x80)
      throw malformed(`a stream of STUN in which a message begins with ${first}: it is no TURN server`);
    if (this.#rest.length < 4) return undefined;
    const length = this.#rest.readUInt16BE(2);
    return first < 0x40 ? HEADER_BYTES + length : CHANNEL_HEADER_BYTES + Math.ceil(length / 4) * 4;
  }
}
