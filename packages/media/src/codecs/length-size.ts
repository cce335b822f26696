import type { Codec } from '../track-config.js';

/** Where avcC and hvcC have lengthSizeMinusOne, in the low 2 bits. ISO 14496-15 §5.3.3.1, §8.3.3.1. */
const LENGTH_SIZE_AT: Readonly<Partial<Record<Codec, number>>> = { h264: 4, hevc: 21 };

/**
 * A decoder configuration record as our samples are: with NAL unit lengths of 4 bytes. A copy, so that it doesn't keep
 * alive what it was read from.
 *
 * @param description a record that has been parsed
 */
export function withFourByteLengthSize(codec: Codec, description: Buffer): Buffer {
  const record = Buffer.from(description);
  const at = LENGTH_SIZE_AT[codec];
  if (at !== undefined) record.writeUInt8(record.readUInt8(at) | 3, at);
  return record;
}
