import { malformed } from '../errors.js';
import type { Ssrc } from './rtp.js';
import { readTransportFeedback, type TransportFeedback, writeTransportFeedback } from './transport-feedback.js';

/** RFC 3550 §12.1, RFC 4585 §6.1. */
const TYPE = {
  senderReport: 200,
  receiverReport: 201,
  description: 202,
  bye: 203,
  transport: 205,
  payload: 206,
} as const;
const NACK = 1;
const TRANSPORT_WIDE = 15;
const PLI = 1;
const FIR = 4;
const APPLICATION = 15;
const REMB_NAME = 0x52454d42;
const MOST_PACKETS = 64;

/** What a receiver says of one source, RFC 3550 §6.4.1. */
export interface ReceptionReport {
  readonly ssrc: Ssrc;
  /** Share lost since the last one, of 256. */
  readonly fractionLost: number;
  readonly lost: number;
  readonly highestSequence: number;
  /** In units of the payload's clock. */
  readonly jitter: number;
  /** The middle 32 bits of the last sender report's time; 0 where there was none. */
  readonly lastSenderReport: number;
  /** Since then, in 1/65536 s. */
  readonly delay: number;
}

export type RtcpPacket =
  | {
      readonly type: 'sender-report';
      readonly ssrc: Ssrc;
      /** Seconds since 1900, and 2^-32 parts of a second. */
      readonly ntpSeconds: number;
      readonly ntpFraction: number;
      readonly rtpTimestamp: number;
      readonly packets: number;
      readonly octets: number;
      readonly reports: readonly ReceptionReport[];
    }
  | { readonly type: 'receiver-report'; readonly ssrc: Ssrc; readonly reports: readonly ReceptionReport[] }
  | { readonly type: 'description'; readonly ssrc: Ssrc; readonly cname: string }
  | { readonly type: 'bye'; readonly ssrcs: readonly Ssrc[] }
  /** RFC 4585 §6.2.1 */
  | { readonly type: 'nack'; readonly sender: Ssrc; readonly media: Ssrc; readonly lost: readonly number[] }
  /** RFC 4585 §6.3.1 */
  | { readonly type: 'pli'; readonly sender: Ssrc; readonly media: Ssrc }
  /** RFC 5104 §4.3.1 */
  | { readonly type: 'fir'; readonly sender: Ssrc; readonly media: Ssrc; readonly number: number }
  /** draft-alvestrand-rmcat-remb-03 */
  | { readonly type: 'remb'; readonly sender: Ssrc; readonly bitrate: number; readonly ssrcs: readonly Ssrc[] }
  | ({ readonly type: 'transport-feedback'; readonly sender: Ssrc; readonly media: Ssrc } & TransportFeedback);

/**
 * Reads a compound packet, RFC 3550 §6.1. Kinds that aren't known are passed over.
 *
 * @throws {RtpError} `malformed`: every length is checked before anything is taken by it
 */
export function readRtcp(datagram: Buffer): RtcpPacket[] {
  const packets: RtcpPacket[] = [];
  for (let at = 0, count = 0; at < datagram.length; count++) {
    if (datagram.length - at < 4) throw malformed(`${datagram.length - at} bytes behind an RTCP packet`);
    if (count >= MOST_PACKETS) throw malformed(`more than ${MOST_PACKETS} RTCP packets in one`);
    const first = datagram.readUInt8(at);
    if (first >>> 6 !== 2) throw malformed(`RTCP version ${first >>> 6}`);
    const end = at + 4 + datagram.readUInt16BE(at + 2) * 4;
    if (end > datagram.length) throw malformed(`an RTCP packet of ${end - at} bytes is cut off`);
    const packet = readOne(datagram.readUInt8(at + 1), first & 0x1f, datagram.subarray(at + 4, end));
    if (packet !== undefined) packets.push(packet);
    at = end;
  }
  return packets;
}

function readOne(type: number, count: number, body: Buffer): RtcpPacket | undefined {
  switch (type) {
    case TYPE.senderReport:
      need(body, 24 + count * 24, 'a sender report');
      return {
        type: 'sender-report',
        ssrc: ssrcAt(body, 0),
        ntpSeconds: body.readUInt32BE(4),
        ntpFraction: body.readUInt32BE(8),
        rtpTimestamp: body.readUInt32BE(12),
        packets: body.readUInt32BE(16),
        octets: body.readUInt32BE(20),
        reports: readReports(body.subarray(24), count),
      };
    case TYPE.receiverReport:
      need(body, 4 + count * 24, 'a receiver report');
      return { type: 'receiver-report', ssrc: ssrcAt(body, 0), reports: readReports(body.subarray(4), count) };
    case TYPE.description:
      return count === 0 ? undefined : readDescription(body);
    case TYPE.bye:
      need(body, count * 4, 'a BYE');
      return { type: 'bye', ssrcs: Array.from({ length: count }, (_, at) => ssrcAt(body, at * 4)) };
    case TYPE.transport:
      return readTransport(count, body);
    case TYPE.payload:
      return readPayloadFeedback(count, body);
    default:
      return undefined;
  }
}

function readTransport(format: number, body: Buffer): RtcpPacket | undefined {
  need(body, 8, 'feedback');
  const [sender, media, rest] = [ssrcAt(body, 0), ssrcAt(body, 4), body.subarray(8)];
  if (format === TRANSPORT_WIDE) return { type: 'transport-feedback', sender, media, ...readTransportFeedback(rest) };
  if (format !== NACK) return undefined;
  const lost: number[] = [];
  for (let at = 0; at + 4 <= rest.length; at += 4) {
    const [first, mask] = [rest.readUInt16BE(at), rest.readUInt16BE(at + 2)];
    lost.push(first);
    for (let bit = 0; bit < 16; bit++) if ((mask & (1 << bit)) !== 0) lost.push((first + bit + 1) & 0xffff);
  }
  return { type: 'nack', sender, media, lost };
}

function readPayloadFeedback(format: number, body: Buffer): RtcpPacket | undefined {
  need(body, 8, 'feedback');
  const [sender, media, rest] = [ssrcAt(body, 0), ssrcAt(body, 4), body.subarray(8)];
  if (format === PLI) return { type: 'pli', sender, media };
  if (format === FIR) {
    need(rest, 8, 'a full intra request');
    return { type: 'fir', sender, media: ssrcAt(rest, 0), number: rest.readUInt8(4) };
  }
  if (format !== APPLICATION || rest.length < 8 || rest.readUInt32BE(0) !== REMB_NAME) return undefined;
  const count = rest.readUInt8(4);
  need(rest, 8 + count * 4, 'a bitrate estimate');
  const [exponent, high, low] = [rest.readUInt8(5) >>> 2, rest.readUInt8(5) & 3, rest.readUInt16BE(6)];
  const bitrate = (high * 0x1_0000 + low) * 2 ** exponent;
  return { type: 'remb', sender, bitrate, ssrcs: Array.from({ length: count }, (_, at) => ssrcAt(rest, 8 + at * 4)) };
}

/** The first source's CNAME, RFC 3550 §6.5. */
function readDescription(body: Buffer): RtcpPacket | undefined {
  need(body, 4, 'a source description');
  for (let at = 4; at + 2 <= body.length; ) {
    const [type, length] = [body.readUInt8(at), body.readUInt8(at + 1)];
    if (type === 0) return undefined;
    need(body, at + 2 + length, 'an item of a source description');
    if (type === 1) {
      return { type: 'description', ssrc: ssrcAt(body, 0), cname: body.toString('utf8', at + 2, at + 2 + length) };
    }
    at += 2 + length;
  }
  return undefined;
}

function readReports(bytes: Buffer, count: number): ReceptionReport[] {
  return Array.from({ length: count }, (_, index) => {
    const report = bytes.subarray(index * 24);
    return {
      ssrc: ssrcAt(report, 0),
      fractionLost: report.readUInt8(4),
      lost: report.readIntBE(5, 3),
      highestSequence: report.readUInt32BE(8),
      jitter: report.readUInt32BE(12),
      lastSenderReport: report.readUInt32BE(16),
      delay: report.readUInt32BE(20),
    };
  });
}

const ssrcAt = (bytes: Buffer, at: number): Ssrc => bytes.readUInt32BE(at) as Ssrc;

function need(bytes: Buffer, length: number, what: string): void {
  if (bytes.length < length) throw malformed(`${what} of ${bytes.length} bytes; ${length} are needed`);
}

/** Writes a compound packet. */
export function writeRtcp(packets: readonly RtcpPacket[]): Buffer {
  return Buffer.concat(packets.map(writeOne));
}

function writeOne(packet: RtcpPacket): Buffer {
  switch (packet.type) {
    case 'sender-report': {
      const body = Buffer.alloc(24 + packet.reports.length * 24);
      body.writeUInt32BE(packet.ssrc, 0);
      body.writeUInt32BE(packet.ntpSeconds >>> 0, 4);
      body.writeUInt32BE(packet.ntpFraction >>> 0, 8);
      body.writeUInt32BE(packet.rtpTimestamp >>> 0, 12);
      body.writeUInt32BE(packet.packets >>> 0, 16);
      body.writeUInt32BE(packet.octets >>> 0, 20);
      writeReports(body.subarray(24), packet.reports);
      return framed(TYPE.senderReport, packet.reports.length, body);
    }
    case 'receiver-report': {
      const body = Buffer.alloc(4 + packet.reports.length * 24);
      body.writeUInt32BE(packet.ssrc, 0);
      writeReports(body.subarray(4), packet.reports);
      return framed(TYPE.receiverReport, packet.reports.length, body);
    }
    case 'description': {
      const cname = Buffer.from(packet.cname).subarray(0, 255);
      const body = Buffer.alloc(Math.ceil((4 + 2 + cname.length + 1) / 4) * 4);
      body.writeUInt32BE(packet.ssrc, 0);
      body.writeUInt8(1, 4);
      body.writeUInt8(cname.length, 5);
      cname.copy(body, 6);
      return framed(TYPE.description, 1, body);
    }
    case 'bye': {
      const body = Buffer.alloc(packet.ssrcs.length * 4);
      for (const [at, ssrc] of packet.ssrcs.entries()) body.writeUInt32BE(ssrc, at * 4);
      return framed(TYPE.bye, packet.ssrcs.length, body);
    }
    case 'nack':
      return framed(TYPE.transport, NACK, feedback(packet.sender, packet.media, nackPairs(packet.lost)));
    case 'transport-feedback':
      return framed(
        TYPE.transport,
        TRANSPORT_WIDE,
        feedback(packet.sender, packet.media, writeTransportFeedback(packet)),
      );
    case 'pli':
      return framed(TYPE.payload, PLI, feedback(packet.sender, packet.media, Buffer.alloc(0)));
    case 'fir': {
      const entry = Buffer.alloc(8);
      entry.writeUInt32BE(packet.media, 0);
      entry.writeUInt8(packet.number & 0xff, 4);
      return framed(TYPE.payload, FIR, feedback(packet.sender, 0, entry));
    }
    case 'remb': {
      const content = Buffer.alloc(8 + packet.ssrcs.length * 4);
      content.writeUInt32BE(REMB_NAME, 0);
      content.writeUInt8(packet.ssrcs.length, 4);
      let [exponent, mantissa] = [0, Math.round(packet.bitrate)];
      for (; mantissa >= 0x4_0000; exponent++) mantissa = Math.floor(mantissa / 2);
      content.writeUInt8((exponent << 2) | (mantissa >>> 16), 5);
      content.writeUInt16BE(mantissa & 0xffff, 6);
      for (const [at, ssrc] of packet.ssrcs.entries()) content.writeUInt32BE(ssrc, 8 + at * 4);
      return framed(TYPE.payload, APPLICATION, feedback(packet.sender, 0, content));
    }
  }
}

function framed(type: number, count: number, body: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt8(0x80 | count, 0);
  head.writeUInt8(type, 1);
  head.writeUInt16BE(body.length / 4, 2);
  return Buffer.concat([head, body]);
}

function feedback(sender: number, media: number, content: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(sender, 0);
  head.writeUInt32BE(media, 4);
  return Buffer.concat([head, content]);
}

/** Numbers in ascending order; each pair names one and which of the 16 behind it are missing as well. */
function nackPairs(lost: readonly number[]): Buffer {
  const pairs: { first: number; mask: number }[] = [];
  for (const number of lost) {
    const last = pairs.at(-1);
    const behind = last === undefined ? 0 : (number - last.first) & 0xffff;
    if (last !== undefined && behind >= 1 && behind <= 16) last.mask |= 1 << (behind - 1);
    else if (last === undefined || behind !== 0) pairs.push({ first: number & 0xffff, mask: 0 });
  }
  const content = Buffer.alloc(pairs.length * 4);
  for (const [at, { first, mask }] of pairs.entries()) {
    content.writeUInt16BE(first, at * 4);
    content.writeUInt16BE(mask, at * 4 + 2);
  }
  return content;
}

function writeReports(target: Buffer, reports: readonly ReceptionReport[]): void {
  for (const [index, report] of reports.entries()) {
    const at = index * 24;
    target.writeUInt32BE(report.ssrc, at);
    target.writeUInt8(report.fractionLost & 0xff, at + 4);
    target.writeIntBE(Math.max(-0x80_0000, Math.min(0x7f_ffff, report.lost)), at + 5, 3);
    target.writeUInt32BE(report.highestSequence >>> 0, at + 8);
    target.writeUInt32BE(report.jitter >>> 0, at + 12);
    target.writeUInt32BE(report.lastSenderReport >>> 0, at + 16);
    target.writeUInt32BE(report.delay >>> 0, at + 20);
  }
}
