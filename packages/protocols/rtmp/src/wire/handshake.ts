import { createHmac, timingSafeEqual } from 'node:crypto';
import { RtmpError } from '../errors.js';

/** C0 and S0, RTMP §5.2.2. */
export const RTMP_VERSION = 3;
/** C1, S1, C2 and S2, RTMP §5.2.3. */
export const HANDSHAKE_SIZE = 1536;

const DIGEST_SIZE = 32;
const TIME_AND_VERSION = 8;
/** The range of the digest's place inside its 764-byte block: block less digest less offset. */
const DIGEST_RANGE = 764 - DIGEST_SIZE - 4;
/** Where the 4 bytes that tell the digest's place stand, in the two layouts that clients use. */
const DIGEST_OFFSETS_AT = [8, 772] as const;

/** Constants of the digest handshake, as all clients and servers have them. */
const KEY_TAIL = Buffer.from('f0eec24a8068bee82e00d0d1029e7e576eec5d2d29806fab93b8e636cfeb31ae', 'hex');
const SERVER_NAME = Buffer.from('Genuine Adobe Flash Media Server 001');
const SERVER_KEY = Buffer.concat([SERVER_NAME, KEY_TAIL]);
const CLIENT_NAME = Buffer.from('Genuine Adobe Flash Player 001');

/** Where random bytes come from. */
export type Random = (size: number) => Buffer;

const hmac = (key: Buffer, ...parts: readonly Buffer[]): Buffer => {
  const mac = createHmac('sha256', key);
  for (const part of parts) mac.update(part);
  return mac.digest();
};

function digestPlace(packet: Buffer, offsetsAt: number): number {
  let sum = 0;
  for (let index = 0; index < 4; index++) sum += packet[offsetsAt + index] ?? 0;
  return offsetsAt + 4 + (sum % DIGEST_RANGE);
}

function packetDigest(packet: Buffer, place: number, key: Buffer): Buffer {
  return hmac(key, packet.subarray(0, place), packet.subarray(place + DIGEST_SIZE));
}

/** The digest in a C1 (or S1) and where its layout keeps it; undefined if it holds none. */
export function findDigest(
  packet: Buffer,
  name: Buffer = CLIENT_NAME,
): { digest: Buffer; offsetsAt: number } | undefined {
  for (const offsetsAt of DIGEST_OFFSETS_AT) {
    const place = digestPlace(packet, offsetsAt);
    const digest = packet.subarray(place, place + DIGEST_SIZE);
    if (timingSafeEqual(digest, packetDigest(packet, place, name))) return { digest, offsetsAt };
  }
  return undefined;
}

/**
 * S0, S1 and S2 for a client's C0 and C1: with digests if the client has one, else the plain echo of RTMP §5.2.
 *
 * @throws {RtmpError} `handshake` for another version
 */
export function answerHandshake(c0c1: Buffer, random: Random): Buffer {
  const version = c0c1[0] ?? 0;
  if (version !== RTMP_VERSION)
    throw new RtmpError('handshake', `RTMP version ${version}; ${RTMP_VERSION} is spoken here`);
  const c1 = c0c1.subarray(1, 1 + HANDSHAKE_SIZE);
  const s1 = Buffer.concat([Buffer.alloc(TIME_AND_VERSION), random(HANDSHAKE_SIZE - TIME_AND_VERSION)]);
  const client = c1.readUInt32BE(4) === 0 ? undefined : findDigest(c1);
  if (client === undefined) return Buffer.concat([Buffer.from([RTMP_VERSION]), s1, c1]);
  s1.writeUInt32BE(0x04050001, 4);
  const place = digestPlace(s1, client.offsetsAt);
  packetDigest(s1, place, SERVER_NAME).copy(s1, place);
  const s2 = random(HANDSHAKE_SIZE);
  const proof = hmac(hmac(SERVER_KEY, client.digest), s2.subarray(0, HANDSHAKE_SIZE - DIGEST_SIZE));
  proof.copy(s2, HANDSHAKE_SIZE - DIGEST_SIZE);
  return Buffer.concat([Buffer.from([RTMP_VERSION]), s1, s2]);
}

/** C0 and C1 of a plain handshake. */
export function beginHandshake(random: Random): Buffer {
  return Buffer.concat([
    Buffer.from([RTMP_VERSION]),
    Buffer.alloc(TIME_AND_VERSION),
    random(HANDSHAKE_SIZE - TIME_AND_VERSION),
  ]);
}

/** C0 and C1 with a digest, as Flash players sent them. */
export function beginDigestHandshake(random: Random, layout: 0 | 1): Buffer {
  const c0c1 = beginHandshake(random);
  const c1 = c0c1.subarray(1);
  c1.writeUInt32BE(0x80000702, 4);
  const place = digestPlace(c1, DIGEST_OFFSETS_AT[layout]);
  packetDigest(c1, place, CLIENT_NAME).copy(c1, place);
  return c0c1;
}

/** Whether an S1 and S2 answer a digest handshake as a genuine server's would. */
export function verifyDigestAnswer(c1: Buffer, s1: Buffer, s2: Buffer): boolean {
  const client = findDigest(c1);
  if (client === undefined || findDigest(s1, SERVER_NAME) === undefined) return false;
  const proof = hmac(hmac(SERVER_KEY, client.digest), s2.subarray(0, HANDSHAKE_SIZE - DIGEST_SIZE));
  return timingSafeEqual(proof, s2.subarray(HANDSHAKE_SIZE - DIGEST_SIZE));
}
