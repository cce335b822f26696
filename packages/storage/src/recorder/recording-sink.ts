import type { RecordedGap, RecordedTrack } from '@sluice/core';
import type { Millis } from '@sluice/media';
import type { ReservedRoom } from './disk/protocol.js';

/** How a file of a recording begins. */
export interface FileOpening {
  readonly startedAt: Millis;
  readonly tracks: readonly RecordedTrack[];
  /** What of the stream isn't in it, and why. */
  readonly reason: string | undefined;
  readonly reserve: ReservedRoom | undefined;
}

/** A file that a recording's media goes into. */
export interface FileSink {
  /** Nothing more can be written to it. What is appended is lost. */
  readonly failed: boolean;
  /** Ms of its media that are on the disk. */
  readonly kept: number;
  /** Its first sample was live before the one that it was opened for. Told before anything is appended. */
  beganAt(startedAt: Millis): void;
  /** @param duration ms of media in the file with these bytes */
  append(bytes: Buffer, duration: number): void;
  gap(gap: RecordedGap): void;
  /** Nothing more comes. */
  end(): void;
}

/** Where a recording's files come from. */
export interface RecordingSink {
  /** False for a while after the disk has failed. */
  readonly canBegin: boolean;
  /** Begins a file. */
  begin(opening: FileOpening): FileSink;
  /** Live media, in ms, that isn't in any file, since nothing could be written. */
  lost(duration: number): void;
  /** What of the stream isn't recorded, as in `without av1`. Told once, with the reason that was given then. */
  leftOut(what: string, why: string): void;
}
