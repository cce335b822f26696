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
}

const RECORD_LENGTH = 12;
const MAX_PROFILE = 3;
const BIT_DEPTHS: ReadonlySet<number> = new Set([8, 10, 12]);
const FRAME_MARKER = 2;
const SYNC_CODE = 0x498342;
const RGB = 7;

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
  if (profile >= 2) reader.skip(1);
  const colorSpace = reader.bits(3);
  if (colorSpace !== RGB) reader.skip(profile === 1 || profile === 3 ? 4 : 1);
  else if (profile === 1 || profile === 3) reader.skip(1);
  return { keyframe, size: { width: reader.bits(16) + 1, height: reader.bits(16) + 1 } };
}
