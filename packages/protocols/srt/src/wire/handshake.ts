import { malformed } from '../errors.js';
import type { SocketId } from './packet.js';
import { type SequenceNumber, sequence } from './sequence.js';

/** §3.2.1, Table 4, and below them the rejections: 1000 and the reason. */
export const HANDSHAKE_TYPE = {
  wavehand: 0,
  induction: 1,
  conclusion: 0xffff_ffff,
  agreement: 0xffff_fffe,
} as const;

/** From here on, a handshake's type is a rejection. */
export const REJECTION_BASE = 1000;

/** What a listener puts into the extension field of its first answer, §4.3.1.1. */
export const SRT_MAGIC = 0x4a17;

/** Flags of the extension field of a conclusion, §3.2.1, Table 3. */
export const EXTENSION_FLAG = { hsreq: 1, kmreq: 2, config: 4 } as const;

/** §3.2.1, Table 5. */
export const EXTENSION = {
  hsreq: 1,
  hsrsp: 2,
  kmreq: 3,
  kmrsp: 4,
  streamId: 5,
  congestion: 6,
  filter: 7,
  group: 8,
} as const;

export interface HandshakeExtension {
  readonly type: number;
  /** A multiple of four bytes. */
  readonly content: Buffer;
}

/** A handshake, §3.2.1. */
export interface Handshake {
  /** 4 in a caller's first packet, 5 in all that follow. */
  readonly version: number;
  /** Length of the key that is advertised, in units of 8 bytes: 0, 2, 3 or 4. */
  readonly encryption: number;
  /** Flags, a magic number, or the type of a version 4 socket. */
  readonly extensionField: number;
  readonly initialSequence: SequenceNumber;
  /** Largest datagram, with IP and UDP headers. */
  readonly mtu: number;
  /** Packets that may be under way. */
  readonly flowWindow: number;
  readonly type: number;
  readonly socketId: SocketId;
  readonly cookie: number;
  /** The peer's address as this side sees it: 16 bytes, IPv4 in the first four. */
  readonly peerAddress: Buffer;
  readonly extensions: readonly HandshakeExtension[];
}

const FIXED_BYTES = 48;
/** More extensions than there are kinds of them is nonsense. */
const MAX_EXTENSIONS = 16;

/** @throws {SrtError} `malformed`: every length is checked before anything is taken by it */
export function readHandshake(content: Buffer): Handshake {
  if (content.length < FIXED_BYTES)
    throw malformed(`a handshake of ${content.length} bytes; ${FIXED_BYTES} are needed`);
  const version = content.readUInt32BE(0);
  const initial = content.readUInt32BE(8);
  if (initial >= 0x8000_0000) throw malformed('a handshake begins with a sequence number of 32 bits');
  const type = content.readUInt32BE(20);
  const extensionField = content.readUInt16BE(6);
  const carries = version >= 5 && (type === HANDSHAKE_TYPE.conclusion || type === HANDSHAKE_TYPE.agreement);
  return {
    version,
    encryption: content.readUInt16BE(4),
    extensionField,
    initialSequence: sequence(initial),
    mtu: content.readUInt32BE(12),
    flowWindow: content.readUInt32BE(16),
    type,
    socketId: content.readUInt32BE(24) as SocketId,
    cookie: content.readUInt32BE(28),
    peerAddress: content.subarray(32, 48),
    extensions: carries && extensionField !== 0 ? readExtensions(content.subarray(FIXED_BYTES)) : [],
  };
}

function readExtensions(bytes: Buffer): HandshakeExtension[] {
  const extensions: HandshakeExtension[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < 4) throw malformed(`a handshake extension of ${bytes.length - at} bytes has no head`);
    const type = bytes.readUInt16BE(at);
    const length = bytes.readUInt16BE(at + 2) * 4;
    const end = at + 4 + length;
    if (end > bytes.length) {
      throw malformed(`handshake extension ${type} says ${length} bytes; ${bytes.length - at - 4} are there`);
    }
    if (extensions.length >= MAX_EXTENSIONS) throw malformed(`a handshake with more than ${MAX_EXTENSIONS} extensions`);
    extensions.push({ type, content: bytes.subarray(at + 4, end) });
    at = end;
  }
  return extensions;
}

export function writeHandshake(handshake: Handshake): Buffer {
  const { extensions } = handshake;
  const total = extensions.reduce((sum, { content }) => sum + 4 + content.length, FIXED_BYTES);
  const content = Buffer.alloc(total);
  content.writeUInt32BE(handshake.version, 0);
  content.writeUInt16BE(handshake.encryption, 4);
  content.writeUInt16BE(handshake.extensionField, 6);
  content.writeUInt32BE(handshake.initialSequence, 8);
  content.writeUInt32BE(handshake.mtu, 12);
  content.writeUInt32BE(handshake.flowWindow, 16);
  content.writeUInt32BE(handshake.type, 20);
  content.writeUInt32BE(handshake.socketId, 24);
  content.writeUInt32BE(handshake.cookie, 28);
  handshake.peerAddress.copy(content, 32, 0, 16);
  let at = FIXED_BYTES;
  for (const { type, content: own } of extensions) {
    if (own.length % 4 !== 0)
      throw new RangeError(`handshake extension ${type} has ${own.length} bytes, no multiple of 4`);
    content.writeUInt16BE(type, at);
    content.writeUInt16BE(own.length / 4, at + 2);
    own.copy(content, at + 4);
    at += 4 + own.length;
  }
  return content;
}

/** How a handshake names an address, §3.2.1: 32-bit words, the lowest byte first. */
export function handshakeAddress(ip: string): Buffer {
  const bytes = Buffer.alloc(16);
  const parts = ip.split('.').map(Number);
  if (parts.length !== 4) return bytes;
  for (const [at, part] of parts.reverse().entries()) bytes.writeUInt8(part & 0xff, at);
  return bytes;
}
