import type { Metadata, Micros, Millis, Sample, TimedMetadata, TrackConfig } from '@sluice/media';
import type { PathSettings } from '../config/schema.js';
import type { StreamPath } from '../stream-path.js';
import type { SoundNeeds } from './converted-sound.js';

/** What a stream is made of, as outputs and status pages see it. */
export interface StreamDescription {
  /** By track id, ascending. */
  readonly tracks: readonly TrackConfig[];
  /** What the encoder said of itself. */
  readonly metadata: Metadata;
}

/**
 * One format's packager and its viewers: made on the first viewer, fed once per stream. All calls come in stream
 * order and must not throw for reasons of the media's: what a format can't carry it leaves out.
 */
export interface Output {
  /** The stream's tracks from the next sample on. Called before the first sample, and at each change. */
  configure(description: StreamDescription): void;
  sample(sample: Sample): void;
  /**
   * Something is said at a time of the stream: an ID3 tag, a cue. It comes with the samples around it, and a cue some
   * seconds before it is due; encoders say a cue several times. An output that is made in a break, or shortly before, is
   * told so after its first sample. Formats without a place for it leave this out.
   */
  timedMetadata?(metadata: TimedMetadata): void;
  /** An encoder came back or took over; decoders see a seam here, the timeline goes on. */
  discontinuity(): void;
  /** The stream is over. */
  end(reason: string): void;
  /** Housekeeping, about once a second. */
  sweep(now: Millis): void;
  readonly viewers: number;
  /** Monotonic time since when nobody uses it; undefined while somebody does. Idle outputs are dropped. */
  readonly idleSince: Millis | undefined;
  /**
   * The same for an output that runs whether anybody watches or not, and is no reason for the stream to stay: `idleSince`
   * would say that it is in use.
   */
  unwatchedSince?(): Millis | undefined;
}

/** What an output sees of the stream that it packs. */
export interface OutputSource {
  readonly path: StreamPath;
  readonly settings: PathSettings;
  /** The stream is over for good, and not only this output of it. */
  readonly ended: boolean;
  /** Asks the encoder for a keyframe, where it can be asked: for a viewer that has just come, or lost its picture. */
  requestKeyframe(): void;
  /** Whether its times are those of a stream elsewhere, from which others may be packed the same way. */
  readonly isFollowing: boolean;
  /** When a sample was live, in wall time. */
  wallTimeOf(dts: Micros): Millis;
}

/** A kind of output, by which a stream knows whether it has one already. Compared by identity. */
export interface OutputKind<T extends Output> {
  readonly name: string;
  /** Sound that it can't carry, and what it is given in its place where that is possible. */
  readonly sound?: SoundNeeds;
  create(source: OutputSource): T;
}
