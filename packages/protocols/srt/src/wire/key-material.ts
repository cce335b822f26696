import { malformed } from '../errors.js';

/** Which keys a key material message brings, §3.2.2 `KK`. */
export type KeysCarried = 'even' | 'odd' | 'both';
/** How payloads are encrypted. */
export type Cipher = 'ctr' | 'gcm';

/** A key material message, §3.2.2. */
export interface KeyMaterial {
  readonly keys: KeysCarried;
  readonly cipher: Cipher;
  /** 16 bytes. */
  readonly salt: Buffer;
  /** 16, 24 or 32 bytes. */
  readonly keyBytes: number;
  /** The keys, wrapped by RFC 3394: 8 bytes more than they are long. */
  readonly wrapped: Buffer;
}

const FIXED_BYTES = 16;
const SIGNATURE = 0x2029;
const SALT_BYTES = 16;
const ICV_BYTES = 8;
const KEYS: readonly (KeysCarried | undefined)[] = [undefined, 'even', 'odd', 'both'];
const CIPHER_NUMBER = { ctr: 2, gcm: 4 } as const;
/** The stream encapsulation of SRT, §3.2.2 `SE`. */
const SE_SRT = 2;

/** What a KMRSP of four bytes says, in place of the message itself. */
export const KM_STATE = { unsecured: 0, securing: 1, secured: 2, noSecret: 3, badSecret: 4, badCipher: 5 } as const;

/** @throws {SrtError} `malformed`: each length is checked against what is there, and against what a key can be */
export function readKeyMaterial(content: Buffer): KeyMaterial {
  if (content.length < FIXED_BYTES)
    throw malformed(`key material of ${content.length} bytes; ${FIXED_BYTES} are needed`);
  if (content.readUInt8(0) !== 0x12 || content.readUInt16BE(1) !== SIGNATURE)
    throw malformed('no key material message');
  const keys = KEYS[content.readUInt8(3) & 3];
  if (keys === undefined) throw malformed('key material without a key');
  const cipher = content.readUInt8(8) === CIPHER_NUMBER.gcm ? 'gcm' : 'ctr';
  if (content.readUInt8(8) !== CIPHER_NUMBER[cipher])
    throw malformed(`key material for cipher ${content.readUInt8(8)}`);
  const saltBytes = content.readUInt8(14) * 4;
  const keyBytes = content.readUInt8(15) * 4;
  if (saltBytes !== SALT_BYTES) throw malformed(`key material with a salt of ${saltBytes} bytes`);
  if (keyBytes !== 16 && keyBytes !== 24 && keyBytes !== 32)
    throw malformed(`key material with keys of ${keyBytes} bytes`);
  const wrappedBytes = ICV_BYTES + keyBytes * (keys === 'both' ? 2 : 1);
  const end = FIXED_BYTES + SALT_BYTES + wrappedBytes;
  if (content.length !== end) throw malformed(`key material of ${content.length} bytes; its fields say ${end}`);
  const salt = content.subarray(FIXED_BYTES, FIXED_BYTES + SALT_BYTES);
  return { keys, cipher, salt, keyBytes, wrapped: content.subarray(FIXED_BYTES + SALT_BYTES) };
}

export function writeKeyMaterial({ keys, cipher, salt, keyBytes, wrapped }: KeyMaterial): Buffer {
  const head = Buffer.alloc(FIXED_BYTES);
  head.writeUInt8(0x12, 0);
  head.writeUInt16BE(SIGNATURE, 1);
  head.writeUInt8(KEYS.indexOf(keys), 3);
  head.writeUInt8(CIPHER_NUMBER[cipher], 8);
  head.writeUInt8(cipher === 'gcm' ? 1 : 0, 9);
  head.writeUInt8(SE_SRT, 10);
  head.writeUInt8(SALT_BYTES / 4, 14);
  head.writeUInt8(keyBytes / 4, 15);
  return Buffer.concat([head, salt, wrapped]);
}
