import type { RecordingContainer } from '@sluice/core';
import type { Metadata, Sample, TimedMetadata, TrackConfig } from '@sluice/media';
import type { ReservedRoom } from '../disk/protocol.js';

/** Makes one file of samples. The file's time begins at 0 with the earliest of the samples that it begins with. */
export interface RecordingMuxer {
  /** Room that is left in the file for what is known at its end; where it is, is counted without it. */
  readonly reserve: ReservedRoom | undefined;
  /** Bytes of samples that wait for `take`. */
  readonly waiting: number;
  /** @throws {MediaError} for a sample that can't be written; the muxer can go on with the next one */
  sample(sample: Sample): void;
  /** Left out where the container has no place for it. */
  timedMetadata(metadata: TimedMetadata): void;
  /**
   * What is to be appended to the file by now, in memory of its own.
   *
   * @param all with the last samples, of which it isn't known yet how long they last
   */
  take(all: boolean): Buffer | undefined;
}

export interface MuxerOptions {
  /** All of them are carried by the container. */
  readonly tracks: readonly TrackConfig[];
  readonly metadata: Metadata;
  /** How long the file will be, about: room for its index is left accordingly. */
  readonly seconds: number;
}

/** What is known of a container. */
export interface ContainerFormat {
  /** Why a track can't be in such a file; undefined where it can. */
  refusalFor(config: TrackConfig): string | undefined;
  open(options: MuxerOptions): RecordingMuxer;
}

/** The same bytes in one buffer that shares its memory with no other, so that it can be given to another thread. */
export function gather(pieces: readonly Buffer[]): Buffer | undefined {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (length === 0) return undefined;
  const bytes = Buffer.allocUnsafeSlow(length);
  let at = 0;
  for (const piece of pieces) at += piece.copy(bytes, at);
  return bytes;
}

export type ContainerFormats = Readonly<Record<RecordingContainer, ContainerFormat>>;
