import type { Micros, Millis, Sample, TimedMetadata, TrackConfig } from '@sluice/media';

/** A stretch of a segment that can be had before the segment is complete, RFC 8216bis §4.4.4.9. */
export interface Part {
  readonly bytes: Buffer;
  readonly duration: Micros;
  /** It begins with a keyframe. */
  readonly independent: boolean;
}

/**
 * What a playlist says of a key; its bytes are only for those who may watch. With `AES-128` a segment is encrypted as a
 * whole, and its number is the IV; with `SAMPLE-AES` its samples are, by `cbcs`. RFC 8216 §4.3.2.4
 */
export type SegmentKey =
  | { readonly number: number; readonly method: 'AES-128' }
  | { readonly number: number; readonly method: 'SAMPLE-AES'; readonly iv: Buffer };

export type EncryptionMethod = SegmentKey['method'];

/** A segment that is being made. */
export interface OpenSegment {
  /** Media sequence number. */
  readonly number: number;
  /** When its first sample was live, ms since 1970. */
  readonly startedAt: Millis;
  /** Decoders must be reset before it. */
  readonly discontinuity: boolean;
  /** Which init segment is to be read before it; undefined where the format needs none. */
  readonly init: number | undefined;
  /** Undefined where it is clear. */
  readonly key?: SegmentKey | undefined;
  /** Decoding can begin with it. */
  readonly independent: boolean;
  readonly parts: readonly Part[];
}

/** A finished segment as playlists list it. It keeps no bytes: what is on disk has no parts any more. */
export interface ListedSegment extends OpenSegment {
  readonly duration: Micros;
}

/** A finished segment. Where it has parts, they are stretches of its bytes. */
export interface Segment extends ListedSegment {
  readonly bytes: Buffer;
}

/** Who is told of what a packager makes, in this order: an init segment, parts, the segment that they are of. */
export interface PackagerEvents {
  init(number: number, bytes: Buffer): void;
  part(segment: OpenSegment): void;
  segment(segment: Segment): void;
  /** A track that the format can't carry, which is left out. */
  unsupported(config: TrackConfig): void;
}

/** Cuts a stream into the segments of one format. */
export interface Packager {
  /** The tracks from the next sample on. The same ones again change nothing. */
  configure(tracks: readonly TrackConfig[]): void;
  sample(sample: Sample): void;
  /** An encoder came back: what follows doesn't continue what was. */
  discontinuity(): void;
  /** Puts timed metadata with the media of its time. */
  timedMetadata(metadata: TimedMetadata): void;
  /** Ends the open segment where it is. */
  flush(): void;
}
