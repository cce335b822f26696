import { malformed } from '../errors.js';
import { type SequenceNumber, sequence } from './sequence.js';

/** What a receiver says of what it has, §3.2.4. */
export interface Acknowledgement {
  /** The first packet that is missing: all before it are there. */
  readonly next: SequenceNumber;
  /** Microseconds; undefined in a light ACK. */
  readonly rtt?: number | undefined;
  readonly rttVariance?: number | undefined;
  /** Packets that the receiver has room for. */
  readonly window?: number | undefined;
  /** Packets a second. Full ACKs only. */
  readonly packetRate?: number | undefined;
  readonly linkCapacity?: number | undefined;
  /** Bytes a second. */
  readonly byteRate?: number | undefined;
}

const FIELDS = ['rtt', 'rttVariance', 'window', 'packetRate', 'linkCapacity', 'byteRate'] as const;

/** Reads a full, small or light ACK: as many fields as there are. @throws {SrtError} `malformed` */
export function readAck(content: Buffer): Acknowledgement {
  if (content.length < 4) throw malformed(`an ACK of ${content.length} bytes names no packet`);
  const next = content.readUInt32BE(0);
  if (next >= 0x8000_0000) throw malformed('an ACK names a sequence number of 32 bits');
  const ack: { -readonly [K in keyof Acknowledgement]: Acknowledgement[K] } = { next: sequence(next) };
  FIELDS.forEach((field, at) => {
    const offset = 4 + at * 4;
    if (content.length >= offset + 4) ack[field] = content.readUInt32BE(offset);
  });
  return ack;
}

/** Writes as many fields as are given without a gap: a light ACK has none of them, a full one all. */
export function writeAck(ack: Acknowledgement): Buffer {
  const values: number[] = [ack.next];
  for (const field of FIELDS) {
    const value = ack[field];
    if (value === undefined) break;
    values.push(Math.min(0xffff_ffff, Math.max(0, Math.round(value))));
  }
  const content = Buffer.allocUnsafe(values.length * 4);
  for (const [at, value] of values.entries()) content.writeUInt32BE(value, at * 4);
  return content;
}
