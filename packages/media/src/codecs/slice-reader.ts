import { BitReader } from './bit-reader.js';
import { offsetWithEmulationPrevention, removeEmulationPrevention } from './nal.js';

/** Longer than any header of a slice: entry points of 440 tiles and as many rows of blocks, at 4 bytes each. */
const MAX_SLICE_HEADER = 8192;

/**
 * How many bytes of a NAL unit of a slice its headers take, the last of which may hold bits of what follows.
 *
 * @param nalHeader bytes of the NAL unit's own header
 * @param readHeader reads the slice's header to its end
 * @throws {MediaError} `truncated`, and what `readHeader` throws
 */
export function sliceHeaderLength(unit: Buffer, nalHeader: number, readHeader: (reader: BitReader) => void): number {
  const head = unit.subarray(nalHeader, nalHeader + MAX_SLICE_HEADER);
  const reader = new BitReader(removeEmulationPrevention(head));
  readHeader(reader);
  const last = Math.ceil(reader.position / 8) - 1;
  return nalHeader + offsetWithEmulationPrevention(head, last) + 1;
}

/** How many bits tell one of `count` values. */
export const bitsFor = (count: number): number => Math.ceil(Math.log2(count));
