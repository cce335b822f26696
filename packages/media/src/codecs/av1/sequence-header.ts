import { MediaError } from '../../errors.js';
import { BitReader } from '../bit-reader.js';
import { plausibleFrameRate } from '../frame-rate.js';
import type { ColourDescription } from '../picture-format.js';

/** Values of a sequence header that matter outside a decoder. AV1 §5.5. */
export interface Av1SequenceHeader {
  readonly profile: number;
  readonly levelIdx: number;
  readonly tier: number;
  readonly width: number;
  readonly height: number;
  readonly bitDepth: number;
  readonly monochrome: boolean;
  readonly subsamplingX: number;
  readonly subsamplingY: number;
  readonly chromaSamplePosition: number;
  /** Where the header describes it. */
  readonly colour?: ColourDescription;
  /** Where the header promises equal distances of pictures. */
  readonly frameRate?: number;
}

const SELECT_SCREEN_CONTENT_TOOLS = 2;

/**
 * AV1 §5.5.1.
 *
 * @param payload of a sequence header OBU
 * @throws {MediaError} `truncated`, or `malformed` for a reserved profile
 */
export function parseAv1SequenceHeader(payload: Buffer): Av1SequenceHeader {
  const reader = new BitReader(payload);
  const profile = reader.bits(3);
  if (profile > 2) throw new MediaError('malformed', `AV1 profile ${profile}, 0 to 2 are known`);
  reader.skip(1); // still_picture
  const reduced = reader.flag();
  const point: OperatingPoint = reduced ? { levelIdx: reader.bits(5), tier: 0 } : readOperatingPoints(reader);
  const widthBits = reader.bits(4) + 1;
  const heightBits = reader.bits(4) + 1;
  const width = reader.bits(widthBits) + 1;
  const height = reader.bits(heightBits) + 1;
  if (!reduced && reader.flag()) reader.skip(7); // frame ids
  reader.skip(3); // 128x128 superblocks, filter intra, intra edge filter
  if (!reduced) skipToolFlags(reader);
  reader.skip(3); // superres, cdef, restoration
  return { profile, ...point, width, height, ...readColor(reader, profile) };
}

interface OperatingPoint {
  readonly levelIdx: number;
  readonly tier: number;
  readonly frameRate?: number;
}

/** The first operating point, and what stands before it: timing_info() and decoder_model_info(). */
function readOperatingPoints(reader: BitReader): OperatingPoint {
  let decoderModel: number | undefined;
  let frameRate: number | undefined;
  if (reader.flag()) {
    const unitsInTick = reader.bits(32);
    const timeScale = reader.bits(32);
    const ticksInPicture = reader.flag() ? reader.ue() + 1 : undefined;
    if (ticksInPicture !== undefined) frameRate = plausibleFrameRate(timeScale, unitsInTick * ticksInPicture);
    if (reader.flag()) {
      decoderModel = reader.bits(5) + 1;
      reader.skip(32 + 5 + 5);
    }
  }
  const displayDelay = reader.flag();
  const points = reader.bits(5) + 1;
  let first = { levelIdx: 0, tier: 0 };
  for (let point = 0; point < points; point++) {
    reader.skip(12);
    const levelIdx = reader.bits(5);
    const tier = levelIdx > 7 ? reader.bits(1) : 0;
    if (point === 0) first = { levelIdx, tier };
    if (decoderModel !== undefined && reader.flag()) {
      reader.skip(decoderModel);
      reader.skip(decoderModel);
      reader.skip(1);
    }
    if (displayDelay && reader.flag()) reader.skip(4);
  }
  return frameRate === undefined ? first : { ...first, frameRate };
}

function skipToolFlags(reader: BitReader): void {
  reader.skip(4); // interintra, masked compound, warped motion, dual filter
  const orderHint = reader.flag();
  if (orderHint) reader.skip(2);
  const screenContent = reader.flag() ? SELECT_SCREEN_CONTENT_TOOLS : reader.bits(1);
  if (screenContent > 0 && !reader.flag()) reader.skip(1);
  if (orderHint) reader.skip(3);
}

/** AV1 §5.5.2. */
function readColor(reader: BitReader, profile: number) {
  const high = reader.flag();
  const bitDepth = profile === 2 && high ? (reader.flag() ? 12 : 10) : high ? 10 : 8;
  const monochrome = profile !== 1 && reader.flag();
  const described = reader.flag();
  const [primaries, transfer, matrix] = described ? [reader.bits(8), reader.bits(8), reader.bits(8)] : [2, 2, 2];
  const colour = (fullRange: boolean) => (described ? { colour: { primaries, transfer, matrix, fullRange } } : {});
  if (monochrome) {
    const fullRange = reader.flag();
    return { bitDepth, monochrome, subsamplingX: 1, subsamplingY: 1, chromaSamplePosition: 0, ...colour(fullRange) };
  }
  if (primaries === 1 && transfer === 13 && matrix === 0) {
    return { bitDepth, monochrome, subsamplingX: 0, subsamplingY: 0, chromaSamplePosition: 0, ...colour(true) };
  }
  const fullRange = reader.flag();
  let subsamplingX = profile === 1 ? 0 : 1;
  let subsamplingY = profile === 0 ? 1 : 0;
  if (profile === 2 && bitDepth === 12) {
    subsamplingX = reader.bits(1);
    subsamplingY = subsamplingX === 1 ? reader.bits(1) : 0;
  }
  const chromaSamplePosition = subsamplingX === 1 && subsamplingY === 1 ? reader.bits(2) : 0;
  return { bitDepth, monochrome, subsamplingX, subsamplingY, chromaSamplePosition, ...colour(fullRange) };
}
