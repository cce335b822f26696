import { MediaError } from '../../errors.js';
import { FieldReader } from '../field-reader.js';

/** A box as it was found. ISO 14496-12 §4.2. */
export interface FoundBox {
  /** Four characters. */
  readonly type: string;
  /** Where it begins in the bytes that were read. */
  readonly start: number;
  /** What stands behind its header, as a view. */
  readonly payload: Buffer;
}

/** A box's header, and how long the box is; `size` is undefined where it goes on to the end of the file. */
export interface BoxHeader {
  readonly type: string;
  readonly headerLength: number;
  readonly size: number | undefined;
}

const SHORT_HEADER = 8;
const LONG_HEADER = 16;
/** A box costs a hundred bytes of memory and takes 8 of a file. */
const MAX_BOXES = 4096;

/**
 * @returns undefined while the header isn't there as a whole
 * @throws {MediaError} `malformed` for a size that is less than the header's own
 */
export function readBoxHeader(bytes: Buffer, at = 0): BoxHeader | undefined {
  if (bytes.length - at < SHORT_HEADER) return undefined;
  const short = bytes.readUInt32BE(at);
  const type = bytes.toString('latin1', at + 4, at + SHORT_HEADER);
  if (short === 0) return { type, headerLength: SHORT_HEADER, size: undefined };
  if (short !== 1) return checked({ type, headerLength: SHORT_HEADER, size: short });
  if (bytes.length - at < LONG_HEADER) return undefined;
  const size = new FieldReader(`a ${type} box`, bytes.subarray(at + SHORT_HEADER, at + LONG_HEADER)).u64();
  return checked({ type, headerLength: LONG_HEADER, size });
}

function checked(header: BoxHeader & { readonly size: number }): BoxHeader {
  if (header.size >= header.headerLength) return header;
  throw new MediaError('malformed', `a box ${JSON.stringify(header.type)} of ${header.size} bytes`);
}

/**
 * The boxes that follow each other in `bytes`, without those inside of them.
 *
 * @throws {MediaError} `truncated` where one doesn't end inside, `malformed`, or `too-large` past `maxBoxes`
 */
export function readBoxes(bytes: Buffer, maxBoxes = MAX_BOXES): FoundBox[] {
  const boxes: FoundBox[] = [];
  for (let at = 0; at < bytes.length; ) {
    const header = readBoxHeader(bytes, at);
    if (header === undefined) throw new MediaError('truncated', `${bytes.length - at} bytes where a box has to be`);
    const left = bytes.length - at;
    const { type, headerLength, size = left } = header;
    if (size > left) throw new MediaError('truncated', `a ${JSON.stringify(type)} box of ${size} bytes in ${left}`);
    if (boxes.length >= maxBoxes) throw new MediaError('too-large', `more than ${maxBoxes} boxes in one`);
    boxes.push({ type, start: at, payload: bytes.subarray(at + headerLength, at + size) });
    at += size;
  }
  return boxes;
}

/** The first box of a type; undefined where there is none. */
export function findBox(boxes: readonly FoundBox[], type: string): FoundBox | undefined {
  return boxes.find((found) => found.type === type);
}

/** @throws {MediaError} `malformed` where there is no such box */
export function requireBox(boxes: readonly FoundBox[], type: string, parent: string): FoundBox {
  const found = findBox(boxes, type);
  if (found === undefined) throw new MediaError('malformed', `a ${parent} box without ${type}`);
  return found;
}

export const fieldsOf = ({ type, payload }: FoundBox): FieldReader => new FieldReader(`a ${type} box`, payload);
