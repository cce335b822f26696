import { malformed } from '../errors.js';

/** Bytes in front of what a repair packet repairs with. */
export const REPAIR_HEAD_BYTES = 4;
/** The index of a row's repair packet. */
export const ROW_INDEX = -1;

/**
 * What a repair packet of the filter `fec` carries: the exclusive or of all packets of its group. It is a data packet
 * with message number 0, the number of the last packet before it, and the exclusive or of their times as its own.
 */
export interface RepairPayload {
  /** Of the column; -1 for a row. */
  readonly index: number;
  /** Of the key slots, as bits. */
  readonly flags: number;
  /** Of the lengths. */
  readonly length: number;
  /** Of the payloads as they were sent, with zeros behind the shorter ones. */
  readonly payload: Buffer;
}

/** @throws {SrtError} `malformed` */
export function readRepairPayload(content: Buffer): RepairPayload {
  if (content.length < REPAIR_HEAD_BYTES) throw malformed(`a repair packet of ${content.length} bytes has no head`);
  return {
    index: content.readInt8(0),
    flags: content.readUInt8(1),
    length: content.readUInt16BE(2),
    payload: content.subarray(REPAIR_HEAD_BYTES),
  };
}

export function writeRepairPayload({ index, flags, length, payload }: RepairPayload): Buffer {
  const content = Buffer.allocUnsafe(REPAIR_HEAD_BYTES + payload.length);
  content.writeInt8(index, 0);
  content.writeUInt8(flags, 1);
  content.writeUInt16BE(length, 2);
  payload.copy(content, REPAIR_HEAD_BYTES);
  return content;
}
