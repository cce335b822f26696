import { MediaError } from '../../errors.js';
import { checkUnitCount } from '../unit-count.js';

/** OBU types, AV1 §6.2.2. */
export const AV1_OBU = { sequenceHeader: 1, temporalDelimiter: 2, padding: 15 } as const;

/** One open bitstream unit. */
export interface Obu {
  readonly type: number;
  /** Header, size and payload. */
  readonly bytes: Buffer;
  readonly payload: Buffer;
}

/** Bits of the header's first byte, AV1 §5.3.2. */
const FORBIDDEN = 0x80;
const HAS_EXTENSION = 0x04;
const HAS_SIZE = 0x02;
/** A leb128 value has 8 bytes at most, AV1 §4.10.5. */
const MAX_LEB128 = 8;

/**
 * The OBUs of a temporal unit in the low-overhead format. AV1 §5.3.
 *
 * @throws {MediaError} `truncated`, `malformed`, or `too-large` past `MAX_UNITS_PER_SAMPLE`
 */
export function splitObus(bytes: Buffer): Obu[] {
  const obus: Obu[] = [];
  let position = 0;
  while (position < bytes.length) {
    const header = bytes[position] ?? 0;
    if ((header & FORBIDDEN) !== 0) throw new MediaError('malformed', 'an OBU with its forbidden bit set');
    let payloadAt = position + ((header & HAS_EXTENSION) === 0 ? 1 : 2);
    let length = bytes.length - payloadAt;
    if ((header & HAS_SIZE) !== 0) {
      const size = readLeb128(bytes, payloadAt);
      payloadAt += size.length;
      length = size.value;
    }
    if (length < 0 || payloadAt + length > bytes.length) {
      throw new MediaError('truncated', `an OBU of ${length} bytes in ${bytes.length - payloadAt} that are left`);
    }
    const end = payloadAt + length;
    checkUnitCount(obus.length);
    obus.push({
      type: (header >> 3) & 0xf,
      bytes: bytes.subarray(position, end),
      payload: bytes.subarray(payloadAt, end),
    });
    position = end;
  }
  return obus;
}

function readLeb128(bytes: Buffer, offset: number): { value: number; length: number } {
  let value = 0;
  for (let index = 0; index < MAX_LEB128; index++) {
    const byte = bytes[offset + index];
    if (byte === undefined) throw new MediaError('truncated', 'an OBU size is cut off');
    value += (byte & 0x7f) * 2 ** (7 * index);
    if ((byte & 0x80) === 0) return { value, length: index + 1 };
  }
  throw new MediaError('malformed', 'an OBU size of more than 8 bytes');
}

/** The same OBU with a size field, as configuration records need it. */
export function withSizeField(obu: Obu): Buffer {
  const header = obu.bytes[0] ?? 0;
  if ((header & HAS_SIZE) !== 0) return obu.bytes;
  const headerBytes = Buffer.from(obu.bytes.subarray(0, obu.bytes.length - obu.payload.length));
  headerBytes[0] = header | HAS_SIZE;
  return Buffer.concat([headerBytes, leb128(obu.payload.length), obu.payload]);
}

function leb128(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left > 0x7f; left = Math.floor(left / 0x80)) bytes.push(0x80 | (left & 0x7f));
  bytes.push(left);
  return Buffer.from(bytes);
}

/** A temporal unit as samples hold it: without temporal delimiters. AV1-ISOBMFF §2.4. */
export function stripTemporalDelimiters(bytes: Buffer): Buffer {
  const obus = splitObus(bytes);
  const kept = obus.filter((obu) => obu.type !== AV1_OBU.temporalDelimiter);
  return kept.length === obus.length ? bytes : Buffer.concat(kept.map((obu) => obu.bytes));
}
