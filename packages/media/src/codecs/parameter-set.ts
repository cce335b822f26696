import { MediaError } from '../errors.js';

/** Decoder configuration records give a parameter set's length in 16 bits. ISO 14496-15 §5.3.3.1, §8.3.3.1 */
const MAX_LENGTH = 0xffff;

/**
 * A parameter set behind its 16-bit length, as avcC and hvcC hold it.
 *
 * @throws {MediaError} `malformed` for an empty one, `too-large` for one whose length doesn't fit
 */
export function withLength(unit: Buffer): [length: Buffer, unit: Buffer] {
  if (unit.length === 0) throw new MediaError('malformed', 'an empty parameter set');
  if (unit.length > MAX_LENGTH) {
    throw new MediaError('too-large', `a parameter set of ${unit.length} bytes; ${MAX_LENGTH} fit into a record`);
  }
  return [Buffer.from([unit.length >> 8, unit.length & 0xff]), unit];
}

/**
 * The parameter set whose 16-bit length stands at `offset`.
 *
 * @throws {MediaError} `truncated`, or `malformed` for an empty one
 */
export function parameterSetAt(record: Buffer, offset: number): Buffer {
  if (offset + 2 > record.length) throw new MediaError('truncated', 'a parameter set length is cut off');
  const length = record.readUInt16BE(offset);
  const start = offset + 2;
  if (length === 0) throw new MediaError('malformed', 'an empty parameter set');
  if (length > record.length - start) {
    throw new MediaError('truncated', `a parameter set of ${length} bytes in ${record.length - start} that are left`);
  }
  return record.subarray(start, start + length);
}
