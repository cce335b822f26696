import { malformed } from '../errors.js';
import { type SequenceNumber, sequence } from './sequence.js';
import type { Timestamp } from './timestamp.js';

/** Names a connection at the end that receives; 0 in the first packet of a handshake. */
export type SocketId = number & { readonly unit: 'socket id' };

/** draft-sharabayko-srt-01 §3. */
export const HEADER_BYTES = 16;

/** §3.2, Table 1. */
export const CONTROL = {
  handshake: 0x0000,
  keepAlive: 0x0001,
  ack: 0x0002,
  nak: 0x0003,
  congestionWarning: 0x0004,
  shutdown: 0x0005,
  ackAck: 0x0006,
  dropRequest: 0x0007,
  peerError: 0x0008,
  userDefined: 0x7fff,
} as const;

/** Which key a payload is encrypted with, §3.1 `KK`. */
export type KeySlot = 'none' | 'even' | 'odd';

const KEY_SLOTS: readonly (KeySlot | undefined)[] = ['none', 'even', 'odd', undefined];
/** `KK` as bits. */
export const KEY_BITS: Readonly<Record<KeySlot, number>> = { none: 0, even: 1, odd: 2 };
/** @returns undefined for the bits that name no slot */
export const keySlotOf = (bits: number): KeySlot | undefined => KEY_SLOTS[bits];

/** `PP`: a message of one packet, as all are in live mode. */
export const WHOLE_MESSAGE = 3;

/**
 * A data packet, §3.1.
 *
 * ```
 * |0|                    Packet Sequence Number                   |
 * |P P|O|K K|R|                   Message Number                  |
 * |                           Timestamp                           |
 * |                     Destination Socket ID                     |
 * ```
 */
export interface DataPacket {
  readonly kind: 'data';
  readonly sequence: SequenceNumber;
  /** `PP`: 3 alone, 2 first, 0 middle, 1 last of a message. Live mode sends each packet alone. */
  readonly boundary: number;
  readonly inOrder: boolean;
  readonly key: KeySlot;
  readonly retransmitted: boolean;
  readonly messageNumber: number;
  readonly timestamp: Timestamp;
  readonly destination: SocketId;
  /** The datagram's own memory. */
  readonly payload: Buffer;
}

/** A control packet whose content has not been read yet, §3.2. */
export interface ControlPacket {
  readonly kind: 'control';
  readonly type: number;
  readonly subtype: number;
  /** What the second word says depends on the type. */
  readonly info: number;
  readonly timestamp: Timestamp;
  readonly destination: SocketId;
  /** The control information field: the datagram's own memory. */
  readonly content: Buffer;
}

export type Packet = DataPacket | ControlPacket;

/** Messages of live mode are numbered in 26 bits. */
const MESSAGE_NUMBER_MASK = 0x03ff_ffff;

/** @throws {SrtError} `malformed` */
export function readPacket(datagram: Buffer): Packet {
  if (datagram.length < HEADER_BYTES) throw malformed(`a datagram of ${datagram.length} bytes has no header`);
  const first = datagram.readUInt32BE(0);
  const second = datagram.readUInt32BE(4);
  const timestamp = datagram.readUInt32BE(8) as Timestamp;
  const destination = datagram.readUInt32BE(12) as SocketId;
  const rest = datagram.subarray(HEADER_BYTES);
  if (first >= 0x8000_0000) {
    const type = (first >>> 16) & 0x7fff;
    return { kind: 'control', type, subtype: first & 0xffff, info: second, timestamp, destination, content: rest };
  }
  const key = keySlotOf((second >>> 27) & 3);
  if (key === undefined) throw malformed('a data packet names both keys');
  return {
    kind: 'data',
    sequence: sequence(first),
    boundary: second >>> 30,
    inOrder: (second & 0x2000_0000) !== 0,
    key,
    retransmitted: (second & 0x0400_0000) !== 0,
    messageNumber: second & MESSAGE_NUMBER_MASK,
    timestamp,
    destination,
    payload: rest,
  };
}

/** Writes a data packet's header in front of where its payload is. */
export function writeDataHeader(target: Buffer, packet: Omit<DataPacket, 'kind' | 'payload'>): void {
  const { boundary, inOrder, key, retransmitted, messageNumber } = packet;
  const flags = boundary * 0x4000_0000 + (inOrder ? 0x2000_0000 : 0) + KEY_BITS[key] * 0x0800_0000;
  target.writeUInt32BE(packet.sequence, 0);
  target.writeUInt32BE(flags + (retransmitted ? 0x0400_0000 : 0) + (messageNumber & MESSAGE_NUMBER_MASK), 4);
  target.writeUInt32BE(packet.timestamp, 8);
  target.writeUInt32BE(packet.destination, 12);
}

/** Marks a data packet that was written before as sent again. */
export function markRetransmitted(datagram: Buffer): void {
  datagram.writeUInt8(datagram.readUInt8(4) | 0x04, 4);
}

/** A whole control packet. */
export function writeControl(packet: Omit<ControlPacket, 'kind' | 'subtype'> & { readonly subtype?: number }): Buffer {
  const { type, subtype = 0, info, timestamp, destination, content } = packet;
  const datagram = Buffer.allocUnsafe(HEADER_BYTES + content.length);
  datagram.writeUInt32BE((0x8000_0000 + type * 0x1_0000 + subtype) >>> 0, 0);
  datagram.writeUInt32BE(info >>> 0, 4);
  datagram.writeUInt32BE(timestamp, 8);
  datagram.writeUInt32BE(destination, 12);
  content.copy(datagram, HEADER_BYTES);
  return datagram;
}

/** Control packets without content carry four bytes: some receivers take no packet that is shorter. */
export const NO_CONTENT = Buffer.alloc(4);
