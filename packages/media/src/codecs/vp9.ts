import { MediaError } from '../errors.js';
import type { TrackId, VideoTrackConfig } from '../track-config.js';
import { BitReader } from './bit-reader.js';
import type { ColourDescription } from './picture-format.js';

/** VPCodecConfigurationRecord (vpcC, with its version and flags), VP codec ISO binding §"VP Codec Configuration Box". */
export interface Vp9DecoderConfiguration {
  readonly profile: number;
  /** Level times ten. */
  readonly level: number;
  readonly bitDepth: number;
  readonly colour: ColourDescription;
}

/** The uncompressed header of a frame, VP9 §6.2, as far as it matters outside a decoder. */
export interface Vp9FrameHeader {
  readonly keyframe: boolean;
  /** Of keyframes. */
  readonly size?: { readonly width: number; readonly height: number };
  /** Of keyframes. */
  readonly format?: Vp9Format;
}

interface Vp9Format {
  readonly profile: number;
  readonly bitDepth: number;
  readonly fullRange: boolean;
  readonly subsamplingX: number;
  readonly subsamplingY: number;
}

const RECORD_LENGTH = 12;
const MAX_PROFILE = 3;
const BIT_DEPTHS: ReadonlySet<number> = new Set([8, 10, 12]);
const FRAME_MARKER = 2;
const SYNC_CODE = 0x498342;
const RGB = 7;
const COLOCATED_420 = 1;
const YUV_422 = 2;
const YUV_444 = 3;
/** Luma samples of a picture, and the level times ten. */
const LEVELS: readonly (readonly [number, number])[] = [
  [36_864, 10],
  [73_728, 11],
  [122_880, 20],
  [245_760, 21],
  [552_960, 30],
  [983_040, 31],
  [2_228_224, 40],
  [8_912_896, 50],
];
const HIGHEST_LEVEL = 60;

/** @throws {MediaError} `truncated` or `malformed` */
export function parseVpcC(description: Buffer): Vp9DecoderConfiguration {
  if (description.length < RECORD_LENGTH) throw new MediaError('truncated', `a vpcC of ${description.length} bytes`);
  if (description[0] !== 1) throw new MediaError('malformed', `vpcC version ${description[0]}, 1 is known`);
  const profile = description[4] ?? 0;
  const bitDepth = (description[6] ?? 0) >> 4;
  if (profile > MAX_PROFILE || !BIT_DEPTHS.has(bitDepth)) {
    throw new MediaError('malformed', `a vpcC of profile ${profile} and ${bitDepth} bits`);
  }
  const colour = {
    primaries: description[7] ?? 0,
    transfer: description[8] ?? 0,
    matrix: description[9] ?? 0,
    fullRange: ((description[6] ?? 0) & 1) === 1,
  };
  return { profile, level: description[5] ?? 0, bitDepth, colour };
}

/** The record doesn't tell the picture's size; width and height are 0. */
export function vp9TrackConfig(track: TrackId, vpcC: Buffer): VideoTrackConfig {
  const { profile, level, bitDepth } = parseVpcC(vpcC);
  const two = (value: number) => String(value).padStart(2, '0');
  return {
    kind: 'video',
    track,
    codec: 'vp9',
    codecString: `vp09.${two(profile)}.${two(level)}.${two(bitDepth)}`,
    description: vpcC,
    width: 0,
    height: 0,
    profile: `Profile ${profile}`,
    level: (level / 10).toFixed(1),
  };
}

/**
 * What a keyframe tells, for streams that come without a record.
 *
 * @throws {MediaError} `truncated`, `malformed` where it is no keyframe, or `unsupported` for colours of a form that
 *   records have no number for
 */
export function vp9KeyframeConfig(track: TrackId, keyframe: Buffer): VideoTrackConfig {
  const { size, format } = parseVp9FrameHeader(keyframe);
  if (size === undefined || format === undefined) {
    throw new MediaError('malformed', 'a VP9 configuration needs a keyframe');
  }
  const { profile, bitDepth, fullRange } = format;
  const chroma = (bitDepth << 4) | (chromaNumber(format) << 1) | (fullRange ? 1 : 0);
  const level = levelOf(size.width * size.height);
  // The colours themselves are unspecified: players go by the frames.
  const vpcC = Buffer.from([1, 0, 0, 0, profile, level, chroma, 2, 2, 2, 0, 0]);
  return { ...vp9TrackConfig(track, vpcC), ...size };
}

/** chromaSubsampling of a record. */
function chromaNumber({ subsamplingX, subsamplingY }: Vp9Format): number {
  if (subsamplingX === 1) return subsamplingY === 1 ? COLOCATED_420 : YUV_422;
  if (subsamplingY === 1) throw new MediaError('unsupported', 'VP9 with 4:4:0 colours');
  return YUV_444;
}

/** The lowest level whose pictures are this large, VP9 Annex A. The frames' rate isn't known, and may ask for more. */
function levelOf(samples: number): number {
  return LEVELS.find(([most]) => samples <= most)?.[1] ?? HIGHEST_LEVEL;
}

/** @throws {MediaError} `truncated` or `malformed` */
export function parseVp9FrameHeader(frame: Buffer): Vp9FrameHeader {
  const reader = new BitReader(frame);
  if (reader.bits(2) !== FRAME_MARKER) throw new MediaError('malformed', 'a VP9 frame without its marker');
  const profile = reader.bits(1) | (reader.bits(1) << 1);
  if (profile === 3) reader.skip(1);
  if (reader.flag()) return { keyframe: false }; // show_existing_frame
  const keyframe = !reader.flag();
  reader.skip(2); // show_frame, error_resilient_mode
  if (!keyframe) return { keyframe };
  if (reader.bits(24) !== SYNC_CODE) throw new MediaError('malformed', 'a VP9 keyframe without its sync code');
  const format = { profile, ...readColor(reader, profile) };
  return { keyframe, size: { width: reader.bits(16) + 1, height: reader.bits(16) + 1 }, format };
}

/** color_config(), VP9 §6.2.2. */
function readColor(reader: BitReader, profile: number): Omit<Vp9Format, 'profile'> {
  const bitDepth = profile < 2 ? 8 : reader.flag() ? 12 : 10;
  const isOdd = profile === 1 || profile === 3;
  if (reader.bits(3) === RGB) {
    if (isOdd) reader.skip(1);
    return { bitDepth, fullRange: true, subsamplingX: 0, subsamplingY: 0 };
  }
  const fullRange = reader.flag();
  if (!isOdd) return { bitDepth, fullRange, subsamplingX: 1, subsamplingY: 1 };
  const [subsamplingX, subsamplingY] = [reader.bits(1), reader.bits(1)];
  reader.skip(1);
  return { bitDepth, fullRange, subsamplingX, subsamplingY };
}
