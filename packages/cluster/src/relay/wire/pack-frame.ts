import type { Sample, TimedMetadata } from '@sluice/media';
import type { WireFrame } from '../frame.js';
import { encodeDescription, encodeMetadata, encodeTrack } from './description.js';
import {
  FRAME_HEAD,
  FRAME_TYPE,
  SAMPLE_HEAD,
  SAMPLE_IS_KEYFRAME,
  SAMPLE_IS_VIDEO,
  TIMED_METADATA_HEAD,
} from './frame-type.js';

const NOTHING = Buffer.alloc(0);

/**
 * A frame as bytes: the length of what follows it (32 bits, as all numbers big-endian), the stream (32), the type (8), and
 * what belongs to the type. A sample's own bytes are not copied: they are the last piece.
 */
export function packFrame(stream: number, frame: WireFrame): Buffer[] {
  if (frame.type === 'sample') return packSample(stream, frame.sample);
  const body = bodyOf(frame);
  const head = headOf(stream, frame.type, 0, body.length);
  return body.length === 0 ? [head] : [head, body];
}

function packSample(stream: number, { track, kind, keyframe, dts, pts, data }: Sample): Buffer[] {
  const head = headOf(stream, 'sample', SAMPLE_HEAD, data.length);
  const flags = (kind === 'video' ? SAMPLE_IS_VIDEO : 0) | (keyframe ? SAMPLE_IS_KEYFRAME : 0);
  head.writeUInt8(flags, FRAME_HEAD);
  head.writeUInt32BE(track, FRAME_HEAD + 1);
  // Doubles: what a publisher gives as its time may be no whole number yet.
  head.writeDoubleBE(dts, FRAME_HEAD + 5);
  head.writeDoubleBE(pts, FRAME_HEAD + 13);
  return [head, data];
}

function headOf(stream: number, type: keyof typeof FRAME_TYPE, own: number, follows: number): Buffer {
  const head = Buffer.allocUnsafe(FRAME_HEAD + own);
  head.writeUInt32BE(FRAME_HEAD - 4 + own + follows, 0);
  head.writeUInt32BE(stream, 4);
  head.writeUInt8(FRAME_TYPE[type], 8);
  return head;
}

function bodyOf(frame: Exclude<WireFrame, { type: 'sample' }>): Buffer {
  switch (frame.type) {
    case 'description':
      return encodeDescription(frame.description);
    case 'config':
      return encodeTrack(frame.config);
    case 'metadata':
      return encodeMetadata(frame.metadata);
    case 'timed-metadata':
      return encodeTimedMetadata(frame);
    case 'wall-origin':
      return double(frame.at);
    case 'discontinuity':
      return NOTHING;
    case 'end':
      return Buffer.from(frame.reason);
    case 'end-of-track':
      return double(frame.track);
    case 'message':
      return frame.data;
  }
}

function encodeTimedMetadata({ kind, at, data }: TimedMetadata): Buffer {
  const head = Buffer.alloc(TIMED_METADATA_HEAD);
  head.writeUInt8(kind === 'id3' ? 0 : 1);
  head.writeDoubleBE(at, 1);
  return Buffer.concat([head, data]);
}

function double(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes;
}
