import { createCipheriv, createDecipheriv, pbkdf2Sync } from 'node:crypto';

/** §6.2.1: rounds of PBKDF2 with HMAC-SHA1. */
const PBKDF2_ROUNDS = 2048;
/** RFC 3394 §2.2.3.1. */
const WRAP_IV = Buffer.alloc(8, 0xa6);

/** The lengths that a passphrase may have, §6.1.4. */
export const PASSPHRASE_LENGTH = { least: 10, most: 79 } as const;

/** The key that encrypts keys, §6.2.1: from a passphrase and the last 64 bits of the salt. */
export function keyEncryptingKey(passphrase: string, salt: Buffer, keyBytes: number): Buffer {
  return pbkdf2Sync(passphrase, salt.subarray(8), PBKDF2_ROUNDS, keyBytes, 'sha1');
}

/** Wraps one key, or both in a row, by RFC 3394: 8 bytes more. */
export function wrapKeys(keyEncrypting: Buffer, keys: Buffer): Buffer {
  const cipher = createCipheriv(`id-aes${keyEncrypting.length * 8}-wrap`, keyEncrypting, WRAP_IV);
  return Buffer.concat([cipher.update(keys), cipher.final()]);
}

/** @returns undefined where the passphrase was another one */
export function unwrapKeys(keyEncrypting: Buffer, wrapped: Buffer): Buffer | undefined {
  try {
    const decipher = createDecipheriv(`id-aes${keyEncrypting.length * 8}-wrap`, keyEncrypting, WRAP_IV);
    return Buffer.concat([decipher.update(wrapped), decipher.final()]);
  } catch {
    return undefined;
  }
}
