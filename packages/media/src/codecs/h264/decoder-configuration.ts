import { MediaError } from '../../errors.js';
import { parameterSetAt, withLength } from '../parameter-set.js';
import { parseH264Sps } from './sps.js';

/** AVCDecoderConfigurationRecord, ISO 14496-15 §5.3.3.1. */
export interface AvcDecoderConfiguration {
  readonly profileIndication: number;
  readonly profileCompatibility: number;
  readonly levelIndication: number;
  readonly lengthSize: number;
  readonly sps: readonly Buffer[];
  readonly pps: readonly Buffer[];
}

/** The record counts SPS in 5 bits and PPS in 8. */
const MAX_SPS = 31;
const MAX_PPS = 255;

/** @throws {MediaError} `malformed` or `truncated` */
export function parseAvcC(description: Buffer): AvcDecoderConfiguration {
  if (description.length < 7) throw new MediaError('truncated', `an avcC of ${description.length} bytes`);
  if (description[0] !== 1) throw new MediaError('malformed', `avcC version ${description[0]}, 1 is known`);
  const lengthSize = ((description[4] ?? 0) & 3) + 1;
  if (lengthSize === 3) throw new MediaError('malformed', 'an avcC with NAL unit lengths of 3 bytes');
  const [sps, afterSps] = readSets(description, 6, (description[5] ?? 0) & 0x1f);
  if (sps.length === 0) throw new MediaError('malformed', 'an avcC without an SPS');
  if (afterSps >= description.length) throw new MediaError('truncated', 'an avcC that ends before its PPS count');
  const [pps] = readSets(description, afterSps + 1, description[afterSps] ?? 0);
  return {
    profileIndication: description[1] ?? 0,
    profileCompatibility: description[2] ?? 0,
    levelIndication: description[3] ?? 0,
    lengthSize,
    sps,
    pps,
  };
}

function readSets(record: Buffer, from: number, count: number): [sets: Buffer[], end: number] {
  const sets: Buffer[] = [];
  let position = from;
  for (let index = 0; index < count; index++) {
    const unit = parameterSetAt(record, position);
    sets.push(unit);
    position += 2 + unit.length;
  }
  return [sets, position];
}

/**
 * An avcC with 4-byte NAL unit lengths.
 *
 * @throws {MediaError} where there is no SPS or it can't be read, `too-large` where the record can't hold the sets
 */
export function buildAvcC(sps: readonly Buffer[], pps: readonly Buffer[]): Buffer {
  const [first] = sps;
  if (first === undefined || first.length < 4) throw new MediaError('malformed', 'an avcC needs an SPS');
  if (sps.length > MAX_SPS || pps.length > MAX_PPS) {
    throw new MediaError(
      'too-large',
      `${sps.length} SPS and ${pps.length} PPS; an avcC holds ${MAX_SPS} and ${MAX_PPS}`,
    );
  }
  const { sampleFormat } = parseH264Sps(first);
  const parts = [
    Buffer.from([1, first[1] ?? 0, first[2] ?? 0, first[3] ?? 0, 0xff, 0xe0 | sps.length]),
    ...sps.flatMap(withLength),
    Buffer.from([pps.length]),
    ...pps.flatMap(withLength),
  ];
  if (sampleFormat !== undefined) {
    // The record repeats them for High profiles and counts no SPS extensions. ISO 14496-15 §5.3.3.1.2
    const { chromaFormat, bitDepthLuma, bitDepthChroma } = sampleFormat;
    parts.push(Buffer.from([0xfc | chromaFormat, 0xf8 | (bitDepthLuma - 8), 0xf8 | (bitDepthChroma - 8), 0]));
  }
  return Buffer.concat(parts);
}
