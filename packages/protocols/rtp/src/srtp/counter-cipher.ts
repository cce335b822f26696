import { createCipheriv, createHmac, timingSafeEqual } from 'node:crypto';
import { ENCRYPTED, type PacketCipher, RTCP_HEADER_BYTES } from './packet-cipher.js';
import { type SessionKeys, type SrtpMasterKey, sessionKeys } from './profile.js';

const TAG_BYTES = 10;
const INDEX_BYTES = 4;

/** AES-128 in counter mode with HMAC-SHA1 of 80 bits, RFC 3711 §4.1.1 and §4.2.1. */
export class CounterCipher implements PacketCipher {
  readonly #rtp: SessionKeys;
  readonly #rtcp: SessionKeys;

  constructor(master: SrtpMasterKey) {
    this.#rtp = sessionKeys(master, 'rtp');
    this.#rtcp = sessionKeys(master, 'rtcp');
  }

  sealRtp(header: Buffer, pieces: readonly Buffer[], index: number): Buffer[] {
    const cipher = createCipheriv(
      'aes-128-ctr',
      this.#rtp.encryption,
      counter(this.#rtp, header.readUInt32BE(8), index),
    );
    const sealed = pieces.map((piece) => cipher.update(piece));
    return [...sealed, tagOf(this.#rtp, [header, ...sealed, rollOver(index)])];
  }

  openRtp(datagram: Buffer, headerBytes: number, index: number): Buffer | undefined {
    const end = datagram.length - TAG_BYTES;
    if (end < headerBytes) return undefined;
    const tag = tagOf(this.#rtp, [datagram.subarray(0, end), rollOver(index)]);
    if (!timingSafeEqual(tag, datagram.subarray(end))) return undefined;
    const block = counter(this.#rtp, datagram.readUInt32BE(8), index);
    return createCipheriv('aes-128-ctr', this.#rtp.encryption, block).update(datagram.subarray(headerBytes, end));
  }

  /** RFC 3711 §3.4: header, encrypted part, index, tag. */
  sealRtcp(packet: Buffer, index: number): Buffer {
    const block = counter(this.#rtcp, packet.readUInt32BE(4), index);
    const cipher = createCipheriv('aes-128-ctr', this.#rtcp.encryption, block);
    const trailer = Buffer.alloc(INDEX_BYTES);
    trailer.writeUInt32BE((ENCRYPTED + index) >>> 0);
    const header = packet.subarray(0, RTCP_HEADER_BYTES);
    const sealed = Buffer.concat([header, cipher.update(packet.subarray(RTCP_HEADER_BYTES)), trailer]);
    return Buffer.concat([sealed, tagOf(this.#rtcp, [sealed])]);
  }

  openRtcp(datagram: Buffer): { packet: Buffer; index: number } | undefined {
    const end = datagram.length - TAG_BYTES;
    const indexAt = end - INDEX_BYTES;
    if (indexAt < RTCP_HEADER_BYTES) return undefined;
    const tag = tagOf(this.#rtcp, [datagram.subarray(0, end)]);
    if (!timingSafeEqual(tag, datagram.subarray(end))) return undefined;
    const word = datagram.readUInt32BE(indexAt);
    if (word < ENCRYPTED) return undefined;
    const index = word - ENCRYPTED;
    const block = counter(this.#rtcp, datagram.readUInt32BE(4), index);
    const plain = createCipheriv('aes-128-ctr', this.#rtcp.encryption, block).update(
      datagram.subarray(RTCP_HEADER_BYTES, indexAt),
    );
    return { packet: Buffer.concat([datagram.subarray(0, RTCP_HEADER_BYTES), plain]), index };
  }
}

/** RFC 3711 §4.1.1: salt, SSRC and index, each in its place, and 16 bits that count blocks. */
function counter({ salt }: SessionKeys, ssrc: number, index: number): Buffer {
  const block = Buffer.alloc(16);
  salt.copy(block);
  block.writeUInt32BE((block.readUInt32BE(4) ^ ssrc) >>> 0, 4);
  block.writeUInt32BE((block.readUInt32BE(8) ^ Math.floor(index / 0x1_0000)) >>> 0, 8);
  block.writeUInt16BE(block.readUInt16BE(12) ^ (index % 0x1_0000), 12);
  return block;
}

function rollOver(index: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(Math.floor(index / 0x1_0000) >>> 0);
  return bytes;
}

function tagOf({ authentication }: SessionKeys, parts: readonly Buffer[]): Buffer {
  const hmac = createHmac('sha1', authentication);
  for (const part of parts) hmac.update(part);
  return hmac.digest().subarray(0, TAG_BYTES);
}
