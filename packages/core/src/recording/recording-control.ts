import type { Millis } from '@sluice/media';
import type { StreamPath } from '../stream-path.js';
import type { RecordingContainer } from './recorded-file.js';

/** Why nothing is written at the moment. */
export type RecordingTrouble = 'disk-full' | 'disk-slow' | 'disk-failed';

export type RecordingState =
  | { readonly kind: 'recording' }
  /** For the encoder to come back, or for the first keyframe. */
  | { readonly kind: 'waiting' }
  /** It goes on by itself when the disk can be written to again. */
  | { readonly kind: 'paused'; readonly trouble: RecordingTrouble; readonly detail: string; readonly since: Millis };

/** A recording under way. */
export interface ActiveRecording {
  readonly id: string;
  readonly path: StreamPath;
  readonly container: RecordingContainer;
  /** Who wants it: the path's settings, or somebody by the API. */
  readonly startedBy: 'configuration' | 'api';
  readonly startedAt: Millis;
  readonly state: RecordingState;
  /** The file that grows, under the recording root. */
  readonly file: string | undefined;
  /** Files begun, and bytes written, so far. */
  readonly files: number;
  readonly bytes: number;
  /** What of the stream isn't recorded, and why: a codec that the container can't carry. */
  readonly reason?: string | undefined;
}

/** Recordings under way, and how they are begun and ended by hand. */
export interface RecordingControl {
  readonly active: readonly ActiveRecording[];
  /**
   * Records a live stream, until it ends or is told to stop.
   *
   * @throws {Refusal} `not-live`; `busy` where the path is recorded as that container already
   */
  start(path: StreamPath, options: { readonly container?: RecordingContainer | undefined }): ActiveRecording;
  /** Ends a recording; its file is finished soon after. @returns whether there was one */
  stop(id: string): boolean;
  /** Begins a new file at the next keyframe. @returns whether there was such a recording */
  split(id: string): boolean;
}
