import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Cipher } from '../wire/key-material.js';
import type { SequenceNumber } from '../wire/sequence.js';

/** Bytes that GCM adds to a payload. */
export const TAG_BYTES = 16;

/** One stream encrypting key with its salt. */
export interface StreamKey {
  readonly key: Buffer;
  /** 16 bytes. */
  readonly salt: Buffer;
}

/** Encrypts and decrypts payloads, §6.2.2. Each packet stands for itself, whatever gets lost. */
export interface PayloadCipher {
  /** @param header 16 bytes, as they are sent the first time; GCM authenticates them */
  encrypt(key: StreamKey, number: SequenceNumber, payload: Buffer, header: Buffer): Buffer;
  /** @returns undefined where GCM finds that it was tampered with */
  decrypt(key: StreamKey, number: SequenceNumber, payload: Buffer, header: Buffer): Buffer | undefined;
}

export function payloadCipher(cipher: Cipher): PayloadCipher {
  return cipher === 'ctr' ? CTR : GCM;
}

/** §6.2.2: the first 112 bits of the salt, with the packet's number put over their end, and a counter of 16 bits. */
function counterBlock({ salt }: StreamKey, number: SequenceNumber): Buffer {
  const block = Buffer.allocUnsafe(16);
  salt.copy(block, 0, 0, 14);
  block.writeUInt16BE(0, 14);
  block.writeUInt32BE((block.readUInt32BE(10) ^ number) >>> 0, 10);
  return block;
}

const CTR: PayloadCipher = {
  encrypt: (key, number, payload) =>
    createCipheriv(`aes-${key.key.length * 8}-ctr` as 'aes-128-ctr', key.key, counterBlock(key, number)).update(
      payload,
    ),
  decrypt: (key, number, payload) =>
    createDecipheriv(`aes-${key.key.length * 8}-ctr` as 'aes-128-ctr', key.key, counterBlock(key, number)).update(
      payload,
    ),
};

/** As the counter block, in 96 bits. */
function nonce({ salt }: StreamKey, number: SequenceNumber): Buffer {
  const bytes = Buffer.from(salt.subarray(0, 12));
  bytes.writeUInt32BE((bytes.readUInt32BE(8) ^ number) >>> 0, 8);
  return bytes;
}

const GCM: PayloadCipher = {
  encrypt(key, number, payload, header) {
    const cipher = createCipheriv(`aes-${key.key.length * 8}-gcm` as 'aes-128-gcm', key.key, nonce(key, number));
    cipher.setAAD(header);
    return Buffer.concat([cipher.update(payload), cipher.final(), cipher.getAuthTag()]);
  },
  decrypt(key, number, payload, header) {
    if (payload.length < TAG_BYTES) return undefined;
    const decipher = createDecipheriv(`aes-${key.key.length * 8}-gcm` as 'aes-128-gcm', key.key, nonce(key, number));
    decipher.setAAD(header);
    decipher.setAuthTag(payload.subarray(payload.length - TAG_BYTES));
    try {
      return Buffer.concat([decipher.update(payload.subarray(0, payload.length - TAG_BYTES)), decipher.final()]);
    } catch {
      return undefined;
    }
  },
};
