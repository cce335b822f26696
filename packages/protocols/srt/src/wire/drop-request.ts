import { malformed } from '../errors.js';
import type { LossRange } from './nak.js';
import { sequence, sequenceDistance } from './sequence.js';

/** Reads which packets will never come, §3.2.9. @throws {SrtError} `malformed` */
export function readDropRequest(content: Buffer): LossRange {
  if (content.length < 8) throw malformed(`a drop request of ${content.length} bytes`);
  const range = { first: sequence(content.readUInt32BE(0)), last: sequence(content.readUInt32BE(4)) };
  if (sequenceDistance(range.first, range.last) < 0) throw malformed('a drop request that goes backwards');
  return range;
}

export function writeDropRequest({ first, last }: LossRange): Buffer {
  const content = Buffer.allocUnsafe(8);
  content.writeUInt32BE(first, 0);
  content.writeUInt32BE(last, 4);
  return content;
}
