import type { Micros } from './time.js';
import type { TrackConfig, TrackId } from './track-config.js';

/**
 * One access unit of video or one frame of audio, on the stream's timeline. Everything after ingest is made of
 * these; nothing in them tells which protocol they came by.
 *
 * `data`, by codec:
 * - h264, hevc: NAL units, each behind its 4-byte big-endian length; no parameter sets unless they are in-band
 * - av1: OBUs of one temporal unit with their size fields, without temporal delimiters (as in ISOBMFF)
 * - vp9: one frame (or superframe)
 * - vp8: one frame
 * - aac: one raw_data_block, no ADTS header
 * - mp3: one frame with its header
 * - opus: one packet
 *
 * A sample and its bytes are shared by every output: nobody writes to them.
 */
export interface Sample {
  readonly track: TrackId;
  readonly kind: 'video' | 'audio';
  /** Decoding time; strictly increasing within a track once the stream's timeline has been repaired. */
  readonly dts: Micros;
  /** Presentation time; `pts >= dts`, and above it only where there are B-frames. */
  readonly pts: Micros;
  /** A point where decoding can begin. Always true for audio. */
  readonly keyframe: boolean;
  readonly data: Buffer;
}

/** A value of FLV/RTMP metadata (`onMetaData` and the like), decoded from AMF. */
export type MetadataValue =
  | string
  | number
  | boolean
  | null
  | undefined
  | Date
  | readonly MetadataValue[]
  | { readonly [key: string]: MetadataValue };
export type Metadata = Readonly<Record<string, MetadataValue>>;

/**
 * Something that is said at a time of the stream, beside sound and picture: a whole ID3 tag, or a whole SCTE 35
 * splice information section as it came, whose own times are on its sender's clock.
 */
export interface TimedMetadata {
  readonly type: 'timed-metadata';
  readonly kind: 'id3' | 'scte35';
  /** On the clock of `pts`. Of SCTE 35, when the splice is due, which may be some seconds ahead. */
  readonly at: Micros;
  readonly data: Buffer;
}

/** What a demuxer or an ingest says of a stream, in the order in which it was said. */
export type MediaEvent =
  | { readonly type: 'config'; readonly config: TrackConfig }
  | { readonly type: 'sample'; readonly sample: Sample }
  | { readonly type: 'metadata'; readonly metadata: Metadata }
  | TimedMetadata
  /** The track says that it has ended (FLV end-of-sequence). */
  | { readonly type: 'end-of-track'; readonly track: TrackId };
