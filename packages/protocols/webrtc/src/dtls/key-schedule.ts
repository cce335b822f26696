import { createHash, createHmac } from 'node:crypto';
import type { DirectionKey } from './record-protection.js';

const MASTER_SECRET_BYTES = 48;
const VERIFY_BYTES = 12;
const KEY_BYTES = 16;
const SALT_BYTES = 4;

export interface Randoms {
  /** 32 bytes each. */
  readonly client: Buffer;
  readonly server: Buffer;
}

/** The pseudorandom function of TLS 1.2 with SHA-256, RFC 5246 §5. */
function prf(secret: Buffer, label: string, seed: Buffer, length: number): Buffer {
  const labelled = Buffer.concat([Buffer.from(label), seed]);
  const hmac = (data: Buffer) => createHmac('sha256', secret).update(data).digest();
  const blocks: Buffer[] = [];
  for (let a = hmac(labelled), done = 0; done < length; a = hmac(a), done += 32) {
    blocks.push(hmac(Buffer.concat([a, labelled])));
  }
  return Buffer.concat(blocks).subarray(0, length);
}

const sha256 = (data: Buffer): Buffer => createHash('sha256').update(data).digest();

/** RFC 5246 §8.1 */
export function masterSecret(premaster: Buffer, { client, server }: Randoms): Buffer {
  return prf(premaster, 'master secret', Buffer.concat([client, server]), MASTER_SECRET_BYTES);
}

/** RFC 7627 §4. @param transcript up to and including ClientKeyExchange */
export function extendedMasterSecret(premaster: Buffer, transcript: Buffer): Buffer {
  return prf(premaster, 'extended master secret', sha256(transcript), MASTER_SECRET_BYTES);
}

/** RFC 5246 §6.3 */
export function trafficKeys(
  master: Buffer,
  { client, server }: Randoms,
): { client: DirectionKey; server: DirectionKey } {
  const block = prf(master, 'key expansion', Buffer.concat([server, client]), 2 * (KEY_BYTES + SALT_BYTES));
  const salts = 2 * KEY_BYTES;
  return {
    client: { key: block.subarray(0, KEY_BYTES), salt: block.subarray(salts, salts + SALT_BYTES) },
    server: { key: block.subarray(KEY_BYTES, salts), salt: block.subarray(salts + SALT_BYTES) },
  };
}

/** What Finished holds, RFC 5246 §7.4.9. */
export function verifyData(master: Buffer, side: 'client' | 'server', transcript: Buffer): Buffer {
  return prf(master, `${side} finished`, sha256(transcript), VERIFY_BYTES);
}

/** Keys for SRTP, RFC 5764 §4.2. */
export function srtpKeys(master: Buffer, { client, server }: Randoms, saltBytes: number) {
  const salts = 2 * KEY_BYTES;
  const seed = Buffer.concat([client, server]);
  const material = prf(master, 'EXTRACTOR-dtls_srtp', seed, salts + 2 * saltBytes);
  return {
    client: { key: material.subarray(0, KEY_BYTES), salt: material.subarray(salts, salts + saltBytes) },
    server: { key: material.subarray(KEY_BYTES, salts), salt: material.subarray(salts + saltBytes) },
  };
}
