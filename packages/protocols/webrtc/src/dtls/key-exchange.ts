import type { KeyObject } from 'node:crypto';
import { ALERT, HandshakeFailure } from './alert.js';
import { Cursor, uint16, vector } from './cursor.js';
import { SIGNATURES } from './hello.js';
import type { Randoms } from './key-schedule.js';
import { GROUP, type Group, type KeyShare } from './key-share.js';
import { signed } from './signature.js';

const NAMED_CURVE = 3;
/** RFC 5246 §7.4.4, RFC 8422 §5.5 */
const CERTIFICATE_TYPE = { rsa: 1, ecdsa: 64 } as const;

export interface ServerKeyExchange {
  readonly group: Group;
  readonly publicKey: Buffer;
  /** What the signature is for. */
  readonly proved: Buffer;
  /** Before the signature. */
  readonly rest: Cursor;
}

/** RFC 8422 §5.4. @throws {WebRtcError} `malformed`, or `not-authentic` for a group that wasn't offered */
export function readServerKeyExchange(body: Buffer, { client, server }: Randoms): ServerKeyExchange {
  const rest = new Cursor(body, 'a ServerKeyExchange');
  const [kind, group, publicKey] = [rest.number(1), rest.number(2), rest.vector(1)];
  if (kind !== NAMED_CURVE || (group !== GROUP.p256 && group !== GROUP.x25519)) {
    throw new HandshakeFailure(ALERT.handshakeFailure, `the peer chose group ${group}`);
  }
  const proved = Buffer.concat([client, server, body.subarray(0, 4 + publicKey.length)]);
  return { group, publicKey: Buffer.from(publicKey), proved, rest };
}

export function writeServerKeyExchange({ group, publicKey }: KeyShare, { client, server }: Randoms, key: KeyObject) {
  const parameters = Buffer.concat([Buffer.from([NAMED_CURVE]), uint16(group), vector(1, publicKey)]);
  return Buffer.concat([parameters, signed(Buffer.concat([client, server, parameters]), key)]);
}

/** RFC 8422 §5.7. @throws {WebRtcError} `malformed` */
export function readClientKeyExchange(body: Buffer): Buffer {
  const cursor = new Cursor(body, 'a ClientKeyExchange');
  const publicKey = cursor.vector(1);
  cursor.end();
  return publicKey;
}

/** Any certificate will do whose signatures can be read: no authorities are named. RFC 5246 §7.4.4 */
export function writeCertificateRequest(): Buffer {
  const types = Buffer.from([CERTIFICATE_TYPE.ecdsa, CERTIFICATE_TYPE.rsa]);
  return Buffer.concat([vector(1, types), vector(2, uint16(...SIGNATURES)), vector(2)]);
}

/** The cookie, RFC 6347 §4.2.1. @throws {WebRtcError} `malformed` */
export function readHelloVerifyRequest(body: Buffer): Buffer {
  const cursor = new Cursor(body, 'a HelloVerifyRequest');
  // A version that says nothing.
  cursor.take(2);
  const cookie = Buffer.from(cursor.vector(1));
  cursor.end();
  return cookie;
}
