import { malformed } from '../errors.js';

/** Names a source in a session. */
export type Ssrc = number & { readonly unit: 'ssrc' };

export const RTP_HEADER_BYTES = 12;
const VERSION = 2;

/** An RTP packet, RFC 3550 §5.1. What it holds is the datagram's own memory. */
export interface RtpPacket {
  readonly marker: boolean;
  readonly payloadType: number;
  /** 16 bits that wrap. */
  readonly sequence: number;
  /** 32 bits that wrap, in units of the payload's clock. */
  readonly timestamp: number;
  readonly ssrc: Ssrc;
  /** The header extension, without its head; undefined where there is none. */
  readonly extension: { readonly profile: number; readonly content: Buffer } | undefined;
  /** Bytes in front of the payload. */
  readonly headerBytes: number;
  /** Without padding. */
  readonly payload: Buffer;
}

/** RFC 5761 §4: payload types 64 to 95 are RTCP's where both share a port. */
export function isRtcp(datagram: Buffer): boolean {
  const type = (datagram[1] ?? 0) & 0x7f;
  return type >= 64 && type <= 95;
}

/** @throws {RtpError} `malformed` */
export function readRtpHeader(datagram: Buffer): Omit<RtpPacket, 'payload'> & { readonly hasPadding: boolean } {
  if (datagram.length < RTP_HEADER_BYTES) throw malformed(`an RTP packet of ${datagram.length} bytes has no header`);
  const first = datagram.readUInt8(0);
  if (first >>> 6 !== VERSION) throw malformed(`RTP version ${first >>> 6}`);
  const second = datagram.readUInt8(1);
  let headerBytes = RTP_HEADER_BYTES + (first & 0x0f) * 4;
  let extension: RtpPacket['extension'];
  if ((first & 0x10) !== 0) {
    if (datagram.length < headerBytes + 4) throw malformed('an RTP header extension is cut off');
    const length = datagram.readUInt16BE(headerBytes + 2) * 4;
    const begin = headerBytes + 4;
    if (datagram.length < begin + length) throw malformed(`an RTP header extension of ${length} bytes is cut off`);
    extension = { profile: datagram.readUInt16BE(headerBytes), content: datagram.subarray(begin, begin + length) };
    headerBytes = begin + length;
  }
  if (headerBytes > datagram.length) throw malformed('an RTP header is cut off');
  return {
    marker: (second & 0x80) !== 0,
    payloadType: second & 0x7f,
    sequence: datagram.readUInt16BE(2),
    timestamp: datagram.readUInt32BE(4),
    ssrc: datagram.readUInt32BE(8) as Ssrc,
    extension,
    headerBytes,
    hasPadding: (first & 0x20) !== 0,
  };
}

/** Reads a packet that is not encrypted (any more). @throws {RtpError} `malformed` */
export function readRtp(datagram: Buffer): RtpPacket {
  const { hasPadding, ...header } = readRtpHeader(datagram);
  const padding = hasPadding ? (datagram[datagram.length - 1] ?? 0) : 0;
  const end = datagram.length - padding;
  if (end < header.headerBytes || (hasPadding && padding === 0)) throw malformed(`an RTP packet padded by ${padding}`);
  return { ...header, payload: datagram.subarray(header.headerBytes, end) };
}

export interface RtpHeaderFields {
  readonly marker: boolean;
  readonly payloadType: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  /** Of one-byte elements, RFC 8285, a multiple of four bytes. */
  readonly extension?: Buffer | undefined;
}

/** RFC 8285 §4.2 */
export const ONE_BYTE_PROFILE = 0xbede;

/** Writes a header. @returns how long it is */
export function writeRtpHeader(target: Buffer, fields: RtpHeaderFields): number {
  const { marker, payloadType, sequence, timestamp, ssrc, extension } = fields;
  target.writeUInt8((VERSION << 6) | (extension === undefined ? 0 : 0x10), 0);
  target.writeUInt8((marker ? 0x80 : 0) | payloadType, 1);
  target.writeUInt16BE(sequence & 0xffff, 2);
  target.writeUInt32BE(timestamp >>> 0, 4);
  target.writeUInt32BE(ssrc >>> 0, 8);
  if (extension === undefined) return RTP_HEADER_BYTES;
  target.writeUInt16BE(ONE_BYTE_PROFILE, RTP_HEADER_BYTES);
  target.writeUInt16BE(extension.length / 4, RTP_HEADER_BYTES + 2);
  extension.copy(target, RTP_HEADER_BYTES + 4);
  return RTP_HEADER_BYTES + 4 + extension.length;
}

/** How many `to` comes after `from`, in 16 bits that wrap; negative where it comes before. */
export function sequenceDistance16(from: number, to: number): number {
  const distance = (to - from) & 0xffff;
  return distance >= 0x8000 ? distance - 0x1_0000 : distance;
}

/** Follows numbers of so many bits over their wraps: sequence numbers, reference times, timestamps. */
export class Unwrapper {
  readonly #modulus: number;
  #last: number | undefined;

  constructor(bits: 16 | 24 | 32) {
    this.#modulus = 2 ** bits;
  }

  /** @returns the value as if it had never wrapped, as near as possible to the one before */
  unwrap(value: number): number {
    if (this.#last === undefined) {
      this.#last = value;
      return value;
    }
    this.#last = value + Math.round((this.#last - value) / this.#modulus) * this.#modulus;
    return this.#last;
  }
}
