import { malformed } from '../errors.js';
import { type SequenceNumber, sequence, sequenceDistance } from './sequence.js';

/** Packets from the first to the last, both of them too. */
export interface LossRange {
  readonly first: SequenceNumber;
  readonly last: SequenceNumber;
}

/** A range's first number has this bit. */
const RANGE = 0x8000_0000;

/**
 * Reads a loss report, §3.2.5 and Appendix A.
 *
 * @throws {SrtError} `malformed`: a range without an end, or one that goes backwards
 */
export function readNak(content: Buffer): LossRange[] {
  if (content.length === 0 || content.length % 4 !== 0) throw malformed(`a NAK of ${content.length} bytes`);
  const ranges: LossRange[] = [];
  for (let at = 0; at < content.length; at += 4) {
    const first = content.readUInt32BE(at);
    if (first < RANGE) {
      ranges.push({ first: sequence(first), last: sequence(first) });
      continue;
    }
    at += 4;
    if (at >= content.length) throw malformed('a NAK ends in the middle of a range');
    const last = content.readUInt32BE(at);
    if (last >= RANGE) throw malformed('a NAK has a range whose end begins another one');
    const range = { first: sequence(first), last: sequence(last) };
    if (sequenceDistance(range.first, range.last) < 0) throw malformed('a NAK has a range that goes backwards');
    ranges.push(range);
  }
  return ranges;
}

/** Writes a loss report. @param most bytes; ranges beyond it are left for the next one */
export function writeNak(ranges: readonly LossRange[], most: number): Buffer {
  const words: number[] = [];
  for (const { first, last } of ranges) {
    const own = first === last ? [first] : [first + RANGE, last];
    if ((words.length + own.length) * 4 > most) break;
    words.push(...own);
  }
  const content = Buffer.allocUnsafe(words.length * 4);
  for (const [at, word] of words.entries()) content.writeUInt32BE(word, at * 4);
  return content;
}
