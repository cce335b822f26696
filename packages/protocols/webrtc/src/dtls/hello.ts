import { malformed } from '../errors.js';
import { Cursor, uint16, vector } from './cursor.js';
import { GROUP, type Group } from './key-share.js';
import { DTLS_1_2 } from './record.js';

/** TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 and its sibling with RSA, RFC 5289. */
export const SUITE = { ecdsa: 0xc02b, rsa: 0xc02f } as const;
const RENEGOTIATION_SCSV = 0x00ff;

/** RFC 5246 §7.4.1.4, RFC 8422, RFC 5764, RFC 7627, RFC 5746. */
const EXTENSION = {
  supportedGroups: 10,
  pointFormats: 11,
  signatureAlgorithms: 13,
  useSrtp: 14,
  extendedMasterSecret: 23,
  renegotiationInfo: 0xff01,
} as const;

/** RFC 5246 §7.4.1.4.1 and RFC 8446 §4.2.3. */
export const SIGNATURE = { ecdsaP256Sha256: 0x0403, rsaPssSha256: 0x0804, rsaPkcs1Sha256: 0x0401 } as const;
export const SIGNATURES: readonly number[] = Object.values(SIGNATURE);

/** RFC 5764 §4.1.2, RFC 7714 §14.2: the best first. */
export const SRTP_PROFILES = [
  { id: 0x0007, name: 'AEAD_AES_128_GCM', saltBytes: 12 },
  { id: 0x0001, name: 'AES_CM_128_HMAC_SHA1_80', saltBytes: 14 },
] as const;
export type SrtpChoice = (typeof SRTP_PROFILES)[number];

const RANDOM_BYTES = 32;

export interface ClientHello {
  readonly random: Buffer;
  readonly sessionId: Buffer;
  readonly cookie: Buffer;
  readonly suites: readonly number[];
  readonly groups: readonly number[];
  readonly signatures: readonly number[];
  readonly srtpProfiles: readonly number[];
  readonly extendedMasterSecret: boolean;
  readonly renegotiationInfo: boolean;
  readonly pointFormats: boolean;
}

/** @throws {WebRtcError} `malformed` */
export function readClientHello(body: Buffer): ClientHello {
  const cursor = new Cursor(body, 'a ClientHello');
  const version = cursor.number(2);
  // Numbers go down; 1.3 says 1.2 here, and more in an extension.
  if (version > DTLS_1_2 || version < 0xfe00) throw malformed(`a client of DTLS version ${version.toString(16)}`);
  const random = cursor.take(RANDOM_BYTES);
  const [sessionId, cookie] = [cursor.vector(1), cursor.vector(1)];
  const suites = numbersOf(cursor.vector(2));
  if (!cursor.vector(1).includes(0)) throw malformed('a client that can only compress');
  const extensions = readExtensions(cursor);
  const list = (type: number): number[] => {
    const content = extensions.get(type);
    if (content === undefined) return [];
    const fields = new Cursor(content, 'an extension');
    const numbers = numbersOf(fields.vector(2));
    // The identifier of a key; it isn't used.
    if (type === EXTENSION.useSrtp) fields.vector(1);
    fields.end();
    return numbers;
  };
  return {
    random,
    sessionId,
    cookie,
    suites,
    groups: list(EXTENSION.supportedGroups),
    signatures: list(EXTENSION.signatureAlgorithms),
    srtpProfiles: list(EXTENSION.useSrtp),
    extendedMasterSecret: extensions.has(EXTENSION.extendedMasterSecret),
    renegotiationInfo: extensions.has(EXTENSION.renegotiationInfo) || suites.includes(RENEGOTIATION_SCSV),
    pointFormats: extensions.has(EXTENSION.pointFormats),
  };
}

export function writeClientHello({ random, cookie }: Pick<ClientHello, 'random' | 'cookie'>): Buffer {
  const extensions = [
    extension(EXTENSION.supportedGroups, vector(2, uint16(GROUP.x25519, GROUP.p256))),
    extension(EXTENSION.pointFormats, Buffer.from([1, 0])),
    extension(EXTENSION.signatureAlgorithms, vector(2, uint16(...SIGNATURES))),
    extension(EXTENSION.useSrtp, Buffer.concat([vector(2, uint16(...SRTP_PROFILES.map(({ id }) => id))), NO_MKI])),
    extension(EXTENSION.extendedMasterSecret, Buffer.alloc(0)),
    extension(EXTENSION.renegotiationInfo, Buffer.from([0])),
  ];
  return Buffer.concat([
    uint16(DTLS_1_2),
    random,
    vector(1),
    vector(1, cookie),
    vector(2, uint16(SUITE.ecdsa, SUITE.rsa)),
    NULL_COMPRESSION,
    vector(2, ...extensions),
  ]);
}

const NO_MKI = Buffer.from([0]);
const NULL_COMPRESSION = Buffer.from([1, 0]);

export interface ServerHello {
  readonly random: Buffer;
  readonly suite: number;
  readonly srtpProfile: number | undefined;
  readonly extendedMasterSecret: boolean;
}

/** @throws {WebRtcError} `malformed` */
export function readServerHello(body: Buffer): ServerHello {
  const cursor = new Cursor(body, 'a ServerHello');
  const version = cursor.number(2);
  if (version !== DTLS_1_2) throw malformed(`a server of DTLS version ${version.toString(16)}`);
  const random = cursor.take(RANDOM_BYTES);
  cursor.vector(1);
  const suite = cursor.number(2);
  if (cursor.number(1) !== 0) throw malformed('a server that compresses');
  const extensions = readExtensions(cursor);
  const srtp = extensions.get(EXTENSION.useSrtp);
  const srtpProfile = srtp === undefined ? undefined : chosenProfile(new Cursor(srtp, 'use_srtp'));
  return { random, suite, srtpProfile, extendedMasterSecret: extensions.has(EXTENSION.extendedMasterSecret) };
}

export function writeServerHello(
  hello: ClientHello,
  { random, suite, srtpProfile }: { random: Buffer; suite: number; srtpProfile: number },
): Buffer {
  const extensions = [
    ...(hello.renegotiationInfo ? [extension(EXTENSION.renegotiationInfo, Buffer.from([0]))] : []),
    ...(hello.pointFormats ? [extension(EXTENSION.pointFormats, Buffer.from([1, 0]))] : []),
    ...(hello.extendedMasterSecret ? [extension(EXTENSION.extendedMasterSecret, Buffer.alloc(0))] : []),
    extension(EXTENSION.useSrtp, Buffer.concat([vector(2, uint16(srtpProfile)), NO_MKI])),
  ];
  const noCompression = Buffer.from([0]);
  return Buffer.concat([uint16(DTLS_1_2), random, vector(1), uint16(suite), noCompression, vector(2, ...extensions)]);
}

/** RFC 5764 §4.1.1: exactly one, and no identifier of a key where none was offered. */
function chosenProfile(cursor: Cursor): number | undefined {
  const [profile, ...others] = numbersOf(cursor.vector(2));
  if (others.length > 0 || cursor.vector(1).length > 0) throw malformed('a server that chose more than was offered');
  cursor.end();
  return profile;
}

/** The group that both sides know; a client that names none knows P-256. */
export function sharedGroup(groups: readonly number[]): Group | undefined {
  if (groups.length === 0) return GROUP.p256;
  return [GROUP.x25519, GROUP.p256].find((group) => groups.includes(group));
}

/** The last field of a hello, which may be left out. */
function readExtensions(hello: Cursor): Map<number, Buffer> {
  const extensions = new Map<number, Buffer>();
  if (hello.isAtEnd) return extensions;
  const cursor = new Cursor(hello.vector(2), 'an extension');
  hello.end();
  while (!cursor.isAtEnd) {
    const type = cursor.number(2);
    if (extensions.has(type)) throw malformed(`extension ${type} twice`);
    extensions.set(type, cursor.vector(2));
  }
  return extensions;
}

function extension(type: number, content: Buffer): Buffer {
  return Buffer.concat([uint16(type), vector(2, content)]);
}

function numbersOf(bytes: Buffer): number[] {
  if (bytes.length % 2 !== 0) throw malformed('half a number in a list');
  return Array.from({ length: bytes.length / 2 }, (_, at) => bytes.readUInt16BE(at * 2));
}
