import { MediaError } from '../errors.js';
import { checkUnitCount } from './unit-count.js';

const START_CODE = Buffer.from([0, 0, 0, 1]);

/**
 * The NAL units of an access unit in Annex B form, without start codes and trailing zeros. H.264 Annex B.
 *
 * @throws {MediaError} `too-large` past `MAX_UNITS_PER_SAMPLE`
 */
export function splitAnnexB(bytes: Buffer): Buffer[] {
  const units: Buffer[] = [];
  let start = -1;
  let position = 0;
  for (;;) {
    const code = bytes.indexOf('\x00\x00\x01', position, 'latin1');
    if (start >= 0) pushTrimmed(units, bytes, start, code < 0 ? bytes.length : code);
    if (code < 0) return units;
    start = code + 3;
    position = start;
  }
}

function pushTrimmed(units: Buffer[], bytes: Buffer, start: number, end: number): void {
  let last = end;
  while (last > start && bytes[last - 1] === 0) last -= 1;
  if (last === start) return;
  checkUnitCount(units.length);
  units.push(bytes.subarray(start, last));
}

/**
 * The NAL units of a sample whose units stand behind lengths of `lengthSize` bytes; empty ones are left out.
 * ISO 14496-15 §5.3.4.2.
 *
 * @param lengthSize 1, 2 or 4, as the decoder configuration says
 * @throws {MediaError} `truncated`, `malformed`, or `too-large` past `MAX_UNITS_PER_SAMPLE`
 */
export function splitLengthPrefixed(bytes: Buffer, lengthSize: number): Buffer[] {
  const units: Buffer[] = [];
  let position = 0;
  while (position < bytes.length) {
    if (position + lengthSize > bytes.length) throw new MediaError('truncated', 'a NAL unit length is cut off');
    const length = bytes.readUIntBE(position, lengthSize);
    position += lengthSize;
    if (length > bytes.length - position) {
      throw new MediaError('malformed', `a NAL unit of ${length} bytes in ${bytes.length - position} that are left`);
    }
    if (length === 0) continue;
    checkUnitCount(units.length);
    units.push(bytes.subarray(position, position + length));
    position += length;
  }
  return units;
}

/** NAL units, each behind its 4-byte length: the form of samples. */
export function joinLengthPrefixed(units: readonly Buffer[]): Buffer {
  const joined = Buffer.allocUnsafe(units.reduce((total, unit) => total + 4 + unit.length, 0));
  let position = 0;
  for (const unit of units) {
    position = joined.writeUInt32BE(unit.length, position);
    position += unit.copy(joined, position);
  }
  return joined;
}

/** NAL units, each behind a 4-byte start code. */
export function joinAnnexB(units: readonly Buffer[]): Buffer {
  return Buffer.concat(units.flatMap((unit) => [START_CODE, unit]));
}

/** The same access unit with 4-byte lengths; `bytes` itself, after a check, where they are so already. */
export function withFourByteLengths(bytes: Buffer, lengthSize: number): Buffer {
  const units = splitLengthPrefixed(bytes, lengthSize);
  return lengthSize === 4 ? bytes : joinLengthPrefixed(units);
}

/** A NAL unit without its emulation prevention bytes: 00 00 03 becomes 00 00. H.264 §7.4.1. */
export function removeEmulationPrevention(unit: Buffer): Buffer {
  if (!unit.includes('\x00\x00\x03', 0, 'latin1')) return unit;
  const payload = Buffer.allocUnsafe(unit.length);
  let length = 0;
  let zeros = 0;
  for (const byte of unit) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    payload[length++] = byte;
  }
  return payload.subarray(0, length);
}

/**
 * Where in a NAL unit a byte of its payload stands: the opposite of `removeEmulationPrevention`.
 *
 * @param offset in the payload without emulation prevention bytes
 */
export function offsetWithEmulationPrevention(unit: Buffer, offset: number): number {
  let zeros = 0;
  let payload = 0;
  for (let at = 0; at < unit.length; at++) {
    const byte = unit[at];
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    if (payload === offset) return at;
    payload += 1;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return unit.length;
}
