import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { isIPv4 } from 'node:net';
import { crc32 } from 'node:zlib';
import { malformed } from '../errors.js';

/** RFC 8489 §5. */
const MAGIC_COOKIE = 0x2112_a442;
const HEADER_BYTES = 20;
const INTEGRITY_BYTES = 20;
const FINGERPRINT_XOR = 0x5354_554e;
const MOST_ATTRIBUTES = 32;
/** RFC 8489 §14.9 and §14.10: 128 characters. */
const MOST_TEXT_BYTES = 763;
const IP_PROTOCOL_UDP = 17;

/** RFC 8489 §3: method Binding, with its class; and those of TURN, RFC 8656 §17. */
export const STUN_TYPE = {
  bindingRequest: 0x0001,
  bindingIndication: 0x0011,
  bindingSuccess: 0x0101,
  bindingError: 0x0111,
  allocateRequest: 0x0003,
  allocateSuccess: 0x0103,
  allocateError: 0x0113,
  refreshRequest: 0x0004,
  refreshSuccess: 0x0104,
  refreshError: 0x0114,
  createPermissionRequest: 0x0008,
  createPermissionSuccess: 0x0108,
  createPermissionError: 0x0118,
} as const;

/** RFC 8489 §18.3, RFC 8445 §16.1, RFC 8656 §18. */
const ATTRIBUTE = {
  username: 0x0006,
  messageIntegrity: 0x0008,
  errorCode: 0x0009,
  lifetime: 0x000d,
  xorPeerAddress: 0x0012,
  realm: 0x0014,
  nonce: 0x0015,
  xorRelayedAddress: 0x0016,
  requestedTransport: 0x0019,
  xorMappedAddress: 0x0020,
  priority: 0x0024,
  useCandidate: 0x0025,
  software: 0x8022,
  fingerprint: 0x8028,
  iceControlled: 0x8029,
  iceControlling: 0x802a,
} as const;

export interface TransportAddress {
  readonly address: string;
  readonly port: number;
}

export interface StunMessage {
  readonly type: number;
  /** 12 bytes. */
  readonly transaction: Buffer;
  readonly username: string | undefined;
  readonly useCandidate: boolean;
  readonly priority: number | undefined;
  /** The tie breaker, of a side that takes itself for the one role or the other. */
  readonly role: { readonly kind: 'controlling' | 'controlled'; readonly tieBreaker: bigint } | undefined;
  readonly mappedAddress: TransportAddress | undefined;
  /** Where a TURN server relays from. */
  readonly relayedAddress: TransportAddress | undefined;
  /** Seconds, of an allocation. */
  readonly lifetime: number | undefined;
  readonly realm: string | undefined;
  readonly nonce: string | undefined;
  readonly errorCode: number | undefined;
  /** For people; undefined where there is no error, empty where it gives none. */
  readonly errorReason: string | undefined;
  /** Where MESSAGE-INTEGRITY begins; undefined where there is none. */
  readonly integrityAt: number | undefined;
}

/** RFC 7983 §7: the first byte of a datagram tells what it is. */
export function isStun(datagram: Buffer): boolean {
  return datagram.length >= HEADER_BYTES && (datagram[0] ?? 0xff) < 4 && datagram.readUInt32BE(4) === MAGIC_COOKIE;
}

/**
 * Reads a message, RFC 8489 §6.3. Its fingerprint is checked where it has one; its integrity is the caller's to check.
 *
 * @throws {WebRtcError} `malformed`
 */
export function readStun(datagram: Buffer): StunMessage {
  if (!isStun(datagram)) throw malformed('no STUN message');
  const length = datagram.readUInt16BE(2);
  if (length % 4 !== 0 || HEADER_BYTES + length !== datagram.length) {
    throw malformed(`a STUN message says ${length} bytes; ${datagram.length - HEADER_BYTES} are there`);
  }
  const transaction = datagram.subarray(8, HEADER_BYTES);
  const message: { -readonly [K in keyof StunMessage]: StunMessage[K] } = {
    type: datagram.readUInt16BE(0),
    transaction,
    username: undefined,
    useCandidate: false,
    priority: undefined,
    role: undefined,
    mappedAddress: undefined,
    relayedAddress: undefined,
    lifetime: undefined,
    realm: undefined,
    nonce: undefined,
    errorCode: undefined,
    errorReason: undefined,
    integrityAt: undefined,
  };
  for (let at = HEADER_BYTES, count = 0; at < datagram.length; count++) {
    if (count >= MOST_ATTRIBUTES) throw malformed(`a STUN message with more than ${MOST_ATTRIBUTES} attributes`);
    const size = datagram.readUInt16BE(at + 2);
    const end = at + 4 + Math.ceil(size / 4) * 4;
    if (end > datagram.length) throw malformed(`a STUN attribute of ${size} bytes is cut off`);
    const type = datagram.readUInt16BE(at);
    const value = datagram.subarray(at + 4, at + 4 + size);
    if (type === ATTRIBUTE.fingerprint) {
      checkFingerprint(datagram, at, value);
      break;
    }
    // RFC 8489 §14.5: what comes behind the integrity is not covered by it.
    if (message.integrityAt === undefined) readAttribute(message, type, value, at);
    at = end;
  }
  return message;
}

function readAttribute(
  message: { -readonly [K in keyof StunMessage]: StunMessage[K] },
  type: number,
  value: Buffer,
  at: number,
): void {
  switch (type) {
    case ATTRIBUTE.username:
      message.username = readText(value, 'a STUN user name', 513);
      break;
    case ATTRIBUTE.realm:
      message.realm = readText(value, 'REALM', MOST_TEXT_BYTES);
      break;
    case ATTRIBUTE.nonce:
      message.nonce = readText(value, 'NONCE', MOST_TEXT_BYTES);
      break;
    case ATTRIBUTE.lifetime:
      need(value, 4, 'LIFETIME');
      message.lifetime = value.readUInt32BE(0);
      break;
    case ATTRIBUTE.useCandidate:
      message.useCandidate = true;
      break;
    case ATTRIBUTE.priority:
      need(value, 4, 'PRIORITY');
      message.priority = value.readUInt32BE(0);
      break;
    case ATTRIBUTE.iceControlling:
    case ATTRIBUTE.iceControlled:
      need(value, 8, 'a role');
      message.role = {
        kind: type === ATTRIBUTE.iceControlling ? 'controlling' : 'controlled',
        tieBreaker: value.readBigUInt64BE(0),
      };
      break;
    case ATTRIBUTE.xorMappedAddress:
      message.mappedAddress = readAddress(value, message.transaction, 'XOR-MAPPED-ADDRESS');
      break;
    case ATTRIBUTE.xorRelayedAddress:
      message.relayedAddress = readAddress(value, message.transaction, 'XOR-RELAYED-ADDRESS');
      break;
    case ATTRIBUTE.errorCode:
      need(value, 4, 'ERROR-CODE');
      message.errorCode = (value.readUInt8(2) & 7) * 100 + value.readUInt8(3);
      message.errorReason = readText(value.subarray(4), 'the reason in ERROR-CODE', MOST_TEXT_BYTES);
      break;
    case ATTRIBUTE.messageIntegrity:
      need(value, INTEGRITY_BYTES, 'MESSAGE-INTEGRITY');
      message.integrityAt = at;
      break;
    default:
    // Others say nothing that an agent of this kind must know.
  }
}

function need(value: Buffer, length: number, what: string): void {
  if (value.length < length) throw malformed(`${what} of ${value.length} bytes; ${length} are needed`);
}

function readText(value: Buffer, what: string, most: number): string {
  if (value.length > most) throw malformed(`${what} of ${value.length} bytes`);
  return value.toString('utf8');
}

function checkFingerprint(datagram: Buffer, at: number, value: Buffer): void {
  need(value, 4, 'FINGERPRINT');
  const expected = (crc32(datagram.subarray(0, at)) ^ FINGERPRINT_XOR) >>> 0;
  if (value.readUInt32BE(0) !== expected) throw malformed('a STUN message whose fingerprint is wrong');
}

/** What a message is signed with: the password (RFC 8489 §9.1.1), or the key that is made of it for TURN (§9.2.2). */
export type StunKey = string | Buffer;

/** The key of long-term credentials, RFC 8489 §9.2.2. */
export function longTermKey({ username, password }: { username: string; password: string }, realm: string): Buffer {
  return createHash('md5').update(`${username}:${realm}:${password}`).digest();
}

/** Whether MESSAGE-INTEGRITY was made with this key, RFC 8489 §14.5. */
export function isAuthentic(datagram: Buffer, { integrityAt }: StunMessage, key: StunKey): boolean {
  if (integrityAt === undefined) return false;
  const covered = Buffer.from(datagram.subarray(0, integrityAt));
  // The length is what it would be if the message ended there.
  covered.writeUInt16BE(integrityAt - HEADER_BYTES + 4 + INTEGRITY_BYTES, 2);
  const expected = createHmac('sha1', key).update(covered).digest();
  return timingSafeEqual(expected, datagram.subarray(integrityAt + 4, integrityAt + 4 + INTEGRITY_BYTES));
}

export interface StunFields {
  readonly type: number;
  readonly transaction: Buffer;
  readonly username?: string;
  readonly useCandidate?: boolean;
  readonly priority?: number;
  readonly role?: StunMessage['role'];
  readonly mappedAddress?: TransportAddress;
  readonly relayedAddress?: TransportAddress;
  /** Whom a TURN server is to relay to. */
  readonly peerAddress?: TransportAddress;
  /** Asks a TURN server to relay UDP. */
  readonly relaysUdp?: boolean;
  readonly lifetime?: number;
  readonly realm?: string;
  readonly nonce?: string;
  readonly error?: { readonly code: number; readonly reason: string };
}

/** Writes a message, with integrity where a key is given, and a fingerprint. */
export function writeStun(fields: StunFields, key?: StunKey): Buffer {
  const { transaction, username, useCandidate, priority, role, mappedAddress, error } = fields;
  const attributes = turnAttributes(fields);
  if (username !== undefined) attributes.push(attribute(ATTRIBUTE.username, Buffer.from(username)));
  if (priority !== undefined) attributes.push(attribute(ATTRIBUTE.priority, uint32(priority)));
  if (useCandidate) attributes.push(attribute(ATTRIBUTE.useCandidate, Buffer.alloc(0)));
  if (role !== undefined) {
    const value = Buffer.alloc(8);
    value.writeBigUInt64BE(role.tieBreaker);
    attributes.push(attribute(role.kind === 'controlling' ? ATTRIBUTE.iceControlling : ATTRIBUTE.iceControlled, value));
  }
  if (mappedAddress !== undefined) {
    attributes.push(attribute(ATTRIBUTE.xorMappedAddress, writeAddress(mappedAddress, transaction)));
  }
  if (error !== undefined) {
    const code = Buffer.from([0, 0, Math.floor(error.code / 100), error.code % 100]);
    attributes.push(attribute(ATTRIBUTE.errorCode, Buffer.concat([code, Buffer.from(error.reason)])));
  }
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(fields.type, 0);
  header.writeUInt32BE(MAGIC_COOKIE, 4);
  transaction.copy(header, 8, 0, 12);
  let message = Buffer.concat([header, ...attributes]);
  if (key !== undefined) {
    message.writeUInt16BE(message.length - HEADER_BYTES + 4 + INTEGRITY_BYTES, 2);
    const tag = createHmac('sha1', key).update(message).digest();
    message = Buffer.concat([message, attribute(ATTRIBUTE.messageIntegrity, tag)]);
  }
  message.writeUInt16BE(message.length - HEADER_BYTES + 8, 2);
  const fingerprint = uint32((crc32(message) ^ FINGERPRINT_XOR) >>> 0);
  return Buffer.concat([message, attribute(ATTRIBUTE.fingerprint, fingerprint)]);
}

/** Those of RFC 8656 §18, and of the long-term credentials that it needs. */
function turnAttributes(fields: StunFields): Buffer[] {
  const { relayedAddress, peerAddress, relaysUdp, lifetime, realm, nonce, transaction } = fields;
  const attributes: Buffer[] = [];
  if (relaysUdp) attributes.push(attribute(ATTRIBUTE.requestedTransport, Buffer.from([IP_PROTOCOL_UDP, 0, 0, 0])));
  if (lifetime !== undefined) attributes.push(attribute(ATTRIBUTE.lifetime, uint32(lifetime)));
  if (relayedAddress !== undefined) {
    attributes.push(attribute(ATTRIBUTE.xorRelayedAddress, writeAddress(relayedAddress, transaction)));
  }
  if (peerAddress !== undefined) {
    attributes.push(attribute(ATTRIBUTE.xorPeerAddress, writeAddress(peerAddress, transaction)));
  }
  if (realm !== undefined) attributes.push(attribute(ATTRIBUTE.realm, Buffer.from(realm)));
  if (nonce !== undefined) attributes.push(attribute(ATTRIBUTE.nonce, Buffer.from(nonce)));
  return attributes;
}

function attribute(type: number, value: Buffer): Buffer {
  const bytes = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4);
  bytes.writeUInt16BE(type, 0);
  bytes.writeUInt16BE(value.length, 2);
  value.copy(bytes, 4);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

/** RFC 8489 §14.2: XORed with the cookie and, for IPv6, the transaction. */
function mask(transaction: Buffer): Buffer {
  return Buffer.concat([uint32(MAGIC_COOKIE), transaction]);
}

function readAddress(value: Buffer, transaction: Buffer, what: string): TransportAddress {
  need(value, 8, what);
  const isV6 = value.readUInt8(1) === 2;
  if (isV6) need(value, 20, `${what} of IPv6`);
  const port = value.readUInt16BE(2) ^ (MAGIC_COOKIE >>> 16);
  const bytes = xored(value.subarray(4, isV6 ? 20 : 8), mask(transaction));
  if (!isV6) return { address: [...bytes].join('.'), port };
  const groups = Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(at * 2).toString(16));
  return { address: groups.join(':'), port };
}

function writeAddress({ address, port }: TransportAddress, transaction: Buffer): Buffer {
  const bytes = isIPv4(address) ? Buffer.from(address.split('.').map(Number)) : ipv6Bytes(address);
  const head = Buffer.from([0, bytes.length === 4 ? 1 : 2, 0, 0]);
  head.writeUInt16BE(port ^ (MAGIC_COOKIE >>> 16), 2);
  return Buffer.concat([head, xored(bytes, mask(transaction))]);
}

function xored(bytes: Buffer, with_: Buffer): Buffer {
  return Buffer.from(bytes.map((byte, at) => byte ^ (with_[at] ?? 0)));
}

/** The 16 bytes of an IPv6 address in any of its spellings. */
function ipv6Bytes(address: string): Buffer {
  const [plain = ''] = address.split('%');
  const v4 = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(plain);
  const tail = v4?.[2]?.split('.').map(Number) ?? [];
  const hex = v4 === null ? plain : `${v4[1]}${word(tail[0], tail[1])}:${word(tail[2], tail[3])}`;
  const [before = '', after] = hex.split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':'));
  const [front, back] = [groups(before), groups(after ?? '')];
  const zeros = after === undefined ? 0 : Math.max(0, 8 - front.length - back.length);
  const all = [...front, ...Array.from({ length: zeros }, () => '0'), ...back];
  const bytes = Buffer.alloc(16);
  for (const [at, group] of all.slice(0, 8).entries()) bytes.writeUInt16BE(Number.parseInt(group, 16) & 0xffff, at * 2);
  return bytes;
}

const word = (high = 0, low = 0): string => (high * 256 + low).toString(16);
