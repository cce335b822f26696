import { createCipheriv, createDecipheriv } from 'node:crypto';
import { DTLS_1_2, type DtlsRecord } from './record.js';

const EXPLICIT_NONCE_BYTES = 8;
const TAG_BYTES = 16;

/** The key of one direction of TLS_ECDHE_…_WITH_AES_128_GCM_SHA256, RFC 5288. */
export interface DirectionKey {
  /** 16 bytes. */
  readonly key: Buffer;
  /** The implicit part of the nonce, 4 bytes. */
  readonly salt: Buffer;
}

/** @param number epoch and sequence number: the explicit part of the nonce as well */
export function sealRecord({ key, salt }: DirectionKey, type: number, number: Buffer, plain: Buffer): Buffer {
  const cipher = createCipheriv('aes-128-gcm', key, Buffer.concat([salt, number]));
  cipher.setAAD(additionalData(type, number, plain.length));
  return Buffer.concat([number, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** @returns undefined where the record is not authentic */
export function openRecord({ key, salt }: DirectionKey, { type, number, fragment }: DtlsRecord): Buffer | undefined {
  const length = fragment.length - EXPLICIT_NONCE_BYTES - TAG_BYTES;
  if (length < 0) return undefined;
  const nonce = Buffer.concat([salt, fragment.subarray(0, EXPLICIT_NONCE_BYTES)]);
  const decipher = createDecipheriv('aes-128-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(additionalData(type, number, length));
  decipher.setAuthTag(fragment.subarray(EXPLICIT_NONCE_BYTES + length));
  const plain = decipher.update(fragment.subarray(EXPLICIT_NONCE_BYTES, EXPLICIT_NONCE_BYTES + length));
  try {
    decipher.final();
    return plain;
  } catch {
    return undefined;
  }
}

/** RFC 5246 §6.2.3.3 */
function additionalData(type: number, number: Buffer, length: number): Buffer {
  const tail = Buffer.alloc(5);
  tail.writeUInt8(type, 0);
  tail.writeUInt16BE(DTLS_1_2, 1);
  tail.writeUInt16BE(length, 3);
  return Buffer.concat([number, tail]);
}
