import type { Millis } from '@sluice/media';
import type { StreamPath } from '../stream-path.js';

export const RECORDING_CONTAINERS = ['mp4', 'flv', 'ts'] as const;
/** What a recording is written as. */
export type RecordingContainer = (typeof RECORDING_CONTAINERS)[number];

export type RecordedFileState =
  /** It grows. */
  | 'writing'
  /** Whole and playable. */
  | 'ready'
  /** It couldn't be finished, or is not what it was when it was finished. */
  | 'damaged'
  /** It is neither where it was written nor in the object store. */
  | 'missing';

/** What a track of a file is, for people and players. */
export interface RecordedTrack {
  readonly kind: 'video' | 'audio';
  readonly codec: string;
  /** RFC 6381. */
  readonly codecString: string;
  readonly width?: number;
  readonly height?: number;
}

/** Live time that isn't in a file: its encoder was away, or the disk was full. The file plays on without a pause. */
export interface RecordedGap {
  /** Where in the file, in ms of media from its beginning. */
  readonly at: number;
  /** How much live time is missing, in ms. */
  readonly missing: number;
  readonly reason: 'encoder-away' | 'paused';
}

/** Where a copy of a file is in an object store. */
export interface RemoteCopy {
  readonly bucket: string;
  readonly key: string;
  readonly uploadedAt: Millis;
}

/** One file of a recording, as the index keeps it. */
export interface RecordedFile {
  readonly id: string;
  /** The recording that it belongs to: files that follow each other without a seam, from start to stop. */
  readonly recording: string;
  readonly path: StreamPath;
  readonly container: RecordingContainer;
  /** Its place under the recording root, with `/` between names. */
  readonly file: string;
  readonly state: RecordedFileState;
  /** When its first sample was live. */
  readonly startedAt: Millis;
  /** Ms of media in it. Its live time is longer by its gaps. */
  readonly duration: number;
  readonly bytes: number;
  readonly tracks: readonly RecordedTrack[];
  readonly gaps: readonly RecordedGap[];
  /** Of the finished file, in hex. */
  readonly sha256?: string | undefined;
  /** What is wrong with it. */
  readonly reason?: string | undefined;
  readonly remote?: RemoteCopy | undefined;
  /** Whether it is under the recording root; false where only the object store has it. */
  readonly isLocal: boolean;
  /** Whether no rule may remove it. Changed by `RecordingIndex.keep` alone: `put` leaves it as it is. */
  readonly isKept?: boolean | undefined;
}

/** The live time at a place of a file's media. Both in ms. */
export function liveTimeAt(file: Pick<RecordedFile, 'startedAt' | 'gaps'>, at: number): number {
  const missing = file.gaps.reduce((sum, gap) => (gap.at <= at ? sum + gap.missing : sum), 0);
  return file.startedAt + at + missing;
}

/**
 * The place in a file's media of a live time: the opposite of `liveTimeAt`. A time that is missing leads to what comes
 * after it, one before the file to less than 0. Both in ms.
 */
export function mediaTimeAt(file: Pick<RecordedFile, 'startedAt' | 'gaps'>, live: number): number {
  const gaps = [...file.gaps].sort((a, b) => a.at - b.at);
  return gaps.reduce((at, gap) => (at < gap.at ? at : Math.max(gap.at, at - gap.missing)), live - file.startedAt);
}

/** When the last of a file was live, in ms since 1970. */
export function liveEndOf(file: Pick<RecordedFile, 'startedAt' | 'gaps' | 'duration'>): number {
  return file.startedAt + file.duration + file.gaps.reduce((sum, { missing }) => sum + missing, 0);
}
