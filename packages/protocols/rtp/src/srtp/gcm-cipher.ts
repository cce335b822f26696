import { createCipheriv, createDecipheriv } from 'node:crypto';
import { ENCRYPTED, type PacketCipher, RTCP_HEADER_BYTES } from './packet-cipher.js';
import { type SessionKeys, type SrtpMasterKey, sessionKeys } from './profile.js';

const TAG_BYTES = 16;
const INDEX_BYTES = 4;

/** AES-128 in Galois/counter mode, RFC 7714. */
export class GcmCipher implements PacketCipher {
  readonly #rtp: SessionKeys;
  readonly #rtcp: SessionKeys;
  /** Written anew for each packet. */
  readonly #nonce = Buffer.alloc(12);

  constructor(master: SrtpMasterKey) {
    this.#rtp = sessionKeys(master, 'rtp');
    this.#rtcp = sessionKeys(master, 'rtcp');
  }

  sealRtp(header: Buffer, pieces: readonly Buffer[], index: number): Buffer[] {
    const nonce = this.#rtpNonce(header.readUInt32BE(8), index);
    const cipher = createCipheriv('aes-128-gcm', this.#rtp.encryption, nonce);
    cipher.setAAD(header);
    const sealed: Buffer[] = [];
    for (const piece of pieces) sealed.push(cipher.update(piece));
    cipher.final();
    sealed.push(cipher.getAuthTag());
    return sealed;
  }

  openRtp(datagram: Buffer, headerBytes: number, index: number): Buffer | undefined {
    const end = datagram.length - TAG_BYTES;
    if (end < headerBytes) return undefined;
    const nonce = this.#rtpNonce(datagram.readUInt32BE(8), index);
    const header = datagram.subarray(0, headerBytes);
    return open(this.#rtp.encryption, nonce, [header], datagram.subarray(headerBytes, end), datagram.subarray(end));
  }

  /** RFC 7714 §9.1: header, encrypted part, tag, index. */
  sealRtcp(packet: Buffer, index: number): Buffer {
    const header = packet.subarray(0, RTCP_HEADER_BYTES);
    const trailer = Buffer.alloc(INDEX_BYTES);
    trailer.writeUInt32BE((ENCRYPTED + index) >>> 0);
    const nonce = this.#rtcpNonce(packet.readUInt32BE(4), index);
    const cipher = createCipheriv('aes-128-gcm', this.#rtcp.encryption, nonce);
    cipher.setAAD(Buffer.concat([header, trailer]));
    const sealed = [cipher.update(packet.subarray(RTCP_HEADER_BYTES)), cipher.final()];
    return Buffer.concat([header, ...sealed, cipher.getAuthTag(), trailer]);
  }

  openRtcp(datagram: Buffer): { packet: Buffer; index: number } | undefined {
    const tagAt = datagram.length - INDEX_BYTES - TAG_BYTES;
    if (tagAt < RTCP_HEADER_BYTES) return undefined;
    const trailer = datagram.subarray(datagram.length - INDEX_BYTES);
    const word = trailer.readUInt32BE(0);
    // What is only authenticated, and not encrypted, no browser sends.
    if (word < ENCRYPTED) return undefined;
    const index = word - ENCRYPTED;
    const header = datagram.subarray(0, RTCP_HEADER_BYTES);
    const nonce = this.#rtcpNonce(datagram.readUInt32BE(4), index);
    const tag = datagram.subarray(tagAt, tagAt + TAG_BYTES);
    const body = datagram.subarray(RTCP_HEADER_BYTES, tagAt);
    const plain = open(this.#rtcp.encryption, nonce, [header, trailer], body, tag);
    return plain && { packet: Buffer.concat([header, plain]), index };
  }

  /** RFC 7714 §8.1: two zeros, SSRC, roll-over counter, sequence number, and the salt over all. */
  #rtpNonce(ssrc: number, index: number): Buffer {
    const nonce = this.#nonce;
    nonce.writeUInt16BE(0, 0);
    nonce.writeUInt32BE(ssrc, 2);
    nonce.writeUInt32BE(Math.floor(index / 0x1_0000) >>> 0, 6);
    nonce.writeUInt16BE(index % 0x1_0000, 10);
    return salted(nonce, this.#rtp.salt);
  }

  /** RFC 7714 §9.1: two zeros, SSRC, two zeros, index. */
  #rtcpNonce(ssrc: number, index: number): Buffer {
    const nonce = this.#nonce;
    nonce.writeUInt16BE(0, 0);
    nonce.writeUInt32BE(ssrc, 2);
    nonce.writeUInt16BE(0, 6);
    nonce.writeUInt32BE(index, 8);
    return salted(nonce, this.#rtcp.salt);
  }
}

function salted(nonce: Buffer, salt: Buffer): Buffer {
  for (let at = 0; at < 12; at++) nonce[at] = (nonce[at] ?? 0) ^ (salt[at] ?? 0);
  return nonce;
}

function open(key: Buffer, nonce: Buffer, authenticated: Buffer[], body: Buffer, tag: Buffer): Buffer | undefined {
  const decipher = createDecipheriv('aes-128-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(authenticated.length === 1 && authenticated[0] ? authenticated[0] : Buffer.concat(authenticated));
  decipher.setAuthTag(tag);
  const plain = decipher.update(body);
  try {
    decipher.final();
    return plain;
  } catch {
    return undefined;
  }
}
