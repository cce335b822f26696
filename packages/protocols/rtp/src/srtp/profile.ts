import { createCipheriv } from 'node:crypto';

/** RFC 5764 §4.1.2, RFC 7714 §14.2. */
export type SrtpProfile = 'AEAD_AES_128_GCM' | 'AES_CM_128_HMAC_SHA1_80';

/** What a handshake gives one direction. */
export interface SrtpMasterKey {
  readonly profile: SrtpProfile;
  /** 16 bytes. */
  readonly key: Buffer;
  /** 14 bytes; 12 with GCM. */
  readonly salt: Buffer;
}

export interface SessionKeys {
  readonly encryption: Buffer;
  /** 20 bytes; unused with GCM. */
  readonly authentication: Buffer;
  /** As long as the master salt. */
  readonly salt: Buffer;
}

/** RFC 3711 §4.3.1: the labels of the three keys of each kind of packet. */
const LABELS = { rtp: [0, 1, 2], rtcp: [3, 4, 5] } as const;
const AUTHENTICATION_BYTES = 20;

/** Derives the session keys, RFC 3711 §4.3.3, without re-keying. */
export function sessionKeys({ key, salt }: SrtpMasterKey, kind: keyof typeof LABELS): SessionKeys {
  const [encryption, authentication, saltLabel] = LABELS[kind];
  return {
    encryption: derive(key, salt, encryption, key.length),
    authentication: derive(key, salt, authentication, AUTHENTICATION_BYTES),
    salt: derive(key, salt, saltLabel, salt.length),
  };
}

/** RFC 3711 §4.3.3: AES in counter mode; a salt of 96 bits has zeros behind it (RFC 7714 §11). */
function derive(key: Buffer, salt: Buffer, label: number, length: number): Buffer {
  const block = Buffer.alloc(16);
  salt.copy(block);
  block.writeUInt8(block.readUInt8(7) ^ label, 7);
  return createCipheriv('aes-128-ctr', key, block).update(Buffer.alloc(length));
}
