import { parseOpusHead } from '../codecs/opus.js';
import { box } from './box.js';
import { FieldReader } from './field-reader.js';

const MAGIC = 'OpusHead';
/** Of an OpusHead; a dOps box counts its own, from 0. */
const HEAD_VERSION = 1;
/** Version, channels, pre-skip, rate and gain: the fields that both have, in different byte orders. */
const FIXED_LENGTH = 10;

/**
 * The `dOps` box of an OpusHead: the same fields, with the high byte first. Opus-in-ISOBMFF §4.3.2.
 *
 * @throws {MediaError} where the head can't be read
 */
export function opusBox(head: Buffer): Buffer {
  parseOpusHead(head);
  const fields = head.subarray(MAGIC.length);
  return box('dOps', Buffer.concat([swapped(fields, 0), fields.subarray(FIXED_LENGTH)]));
}

/**
 * The OpusHead of a `dOps` box's payload.
 *
 * @throws {MediaError} `truncated`
 */
export function opusHeadOf(payload: Buffer): Buffer {
  const fields = new FieldReader('a dOps box', payload);
  const fixed = fields.bytes(FIXED_LENGTH);
  return Buffer.concat([Buffer.from(MAGIC, 'latin1'), swapped(fixed, HEAD_VERSION), fields.rest()]);
}

function swapped(fields: Buffer, version: number): Buffer {
  const copy = Buffer.from(fields.subarray(0, FIXED_LENGTH));
  copy[0] = version;
  copy.subarray(2, 4).swap16();
  copy.subarray(4, 8).swap32();
  copy.subarray(8, 10).swap16();
  return copy;
}
