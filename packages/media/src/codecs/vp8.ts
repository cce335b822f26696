import { MediaError } from '../errors.js';
import type { TrackId, VideoTrackConfig } from '../track-config.js';
import { checkPictureSize } from './picture-size.js';

/** The beginning of a frame, RFC 6386 §9.1. */
export interface Vp8FrameHeader {
  readonly keyframe: boolean;
  /** Of keyframes. */
  readonly size?: { readonly width: number; readonly height: number };
}

const NO_KEYFRAME = 0x01;
const FRAME_TAG_BYTES = 3;
const START_CODE = 0x9d012a;
/** Behind the tag and the start code: two sides, each with 2 bits that ask players to scale. */
const KEYFRAME_BYTES = 10;
const SIDE = 0x3fff;

/** @throws {MediaError} `truncated` or `malformed` */
export function parseVp8FrameHeader(frame: Buffer): Vp8FrameHeader {
  const [first] = frame;
  if (first === undefined) throw new MediaError('truncated', 'an empty VP8 frame');
  if ((first & NO_KEYFRAME) !== 0) return { keyframe: false };
  if (frame.length < KEYFRAME_BYTES) throw new MediaError('truncated', `a VP8 keyframe of ${frame.length} bytes`);
  if (frame.readUIntBE(FRAME_TAG_BYTES, 3) !== START_CODE) {
    throw new MediaError('malformed', 'a VP8 keyframe without its start code');
  }
  const [width, height] = [frame.readUInt16LE(6) & SIDE, frame.readUInt16LE(8) & SIDE];
  checkPictureSize('a VP8 keyframe', width, height);
  return { keyframe: true, size: { width, height } };
}

/**
 * What a keyframe tells: VP8 has no decoder configuration record.
 *
 * @throws {MediaError} `truncated`, or `malformed` where it is no keyframe
 */
export function vp8TrackConfig(track: TrackId, keyframe: Buffer): VideoTrackConfig {
  const { size } = parseVp8FrameHeader(keyframe);
  if (size === undefined) throw new MediaError('malformed', 'a VP8 configuration needs a keyframe');
  return { kind: 'video', track, codec: 'vp8', codecString: 'vp8', description: Buffer.alloc(0), ...size };
}
