import { MediaError } from '@sluice/media';
import type { PictureLook } from '../picture-look.js';

/** What the controller tab sends. Times are microseconds on the browser's clocks; `page-clock.ts` maps them. */
export type CaptureFrame =
  /** What the page's clock says now. */
  | { readonly type: 'clock'; readonly time: number }
  /** An AVCDecoderConfigurationRecord, before the first picture that needs it. */
  | { readonly type: 'config'; readonly record: Buffer }
  | { readonly type: 'picture'; readonly time: number; readonly keyframe: boolean; readonly data: Buffer }
  /** Interleaved stereo, 32-bit floats, little-endian. */
  | { readonly type: 'sound'; readonly time: number; readonly sampleRate: number; readonly pcm: Buffer }
  | ({ readonly type: 'look' } & PictureLook)
  /** The capture is over, and why. */
  | { readonly type: 'ended'; readonly reason: string };

/** Kind, flags, two bytes of nothing, and the time as a double. */
const HEADER_BYTES = 12;
const KEYFRAME = 1;
const LOOK_BYTES = 20;
const STEREO_FRAME_BYTES = 8;
const MIN_RATE = 8000;
const MAX_RATE = 192_000;
const MOST_REASON_BYTES = 500;

/**
 * Reads a message of the controller tab: kind (1 byte), flags (1), unused (2), time (8, a double), payload.
 *
 * @throws {MediaError} `truncated`, `malformed`, or `unsupported` for a kind that is not known
 */
export function readFrame(bytes: Buffer): CaptureFrame {
  if (bytes.length < HEADER_BYTES) {
    throw new MediaError('truncated', `a frame of ${bytes.length} bytes where its header takes ${HEADER_BYTES}`);
  }
  const kind = bytes.readUInt8(0);
  const time = bytes.readDoubleBE(4);
  if (!Number.isFinite(time) || Math.abs(time) > Number.MAX_SAFE_INTEGER) {
    throw new MediaError('malformed', `a frame of kind ${kind} at ${time} µs`);
  }
  const payload = bytes.subarray(HEADER_BYTES);
  switch (kind) {
    case 1:
      return { type: 'clock', time };
    case 2:
      return { type: 'config', record: notEmpty(payload, 'configuration') };
    case 3:
      return {
        type: 'picture',
        time,
        keyframe: (bytes.readUInt8(1) & KEYFRAME) !== 0,
        data: notEmpty(payload, 'picture'),
      };
    case 4:
      return { type: 'sound', time, ...readSound(payload) };
    case 5:
      return { type: 'look', ...readLook(payload) };
    case 7:
      return { type: 'ended', reason: payload.subarray(0, MOST_REASON_BYTES).toString() };
    default:
      throw new MediaError('unsupported', `a frame of kind ${kind}`);
  }
}

function notEmpty(payload: Buffer, what: string): Buffer {
  if (payload.length === 0) throw new MediaError('truncated', `an empty ${what}`);
  return payload;
}

function readSound(payload: Buffer): { sampleRate: number; pcm: Buffer } {
  if (payload.length < 4) throw new MediaError('truncated', `sound of ${payload.length} bytes without its rate`);
  const sampleRate = payload.readUInt32BE(0);
  const pcm = payload.subarray(4);
  if (sampleRate < MIN_RATE || sampleRate > MAX_RATE) throw new MediaError('malformed', `sound at ${sampleRate} Hz`);
  if (pcm.length % STEREO_FRAME_BYTES !== 0) {
    throw new MediaError('malformed', `${pcm.length} bytes of sound, which is no whole number of stereo samples`);
  }
  return { sampleRate, pcm };
}

function readLook(payload: Buffer): PictureLook {
  if (payload.length < LOOK_BYTES) {
    throw new MediaError('truncated', `a look of ${payload.length} bytes where it takes ${LOOK_BYTES}`);
  }
  const [mean, deviation, change] = [payload.readFloatBE(0), payload.readFloatBE(4), payload.readFloatBE(8)];
  if (![mean, deviation, change].every(Number.isFinite)) {
    throw new MediaError('malformed', `a look of ${mean}, ${deviation}, ${change}`);
  }
  return { mean, deviation, change, captured: payload.readUInt32BE(12), skipped: payload.readUInt32BE(16) };
}
