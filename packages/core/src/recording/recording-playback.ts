import type { StreamPath } from '../stream-path.js';
import type { RecordedFile, RecordedGap, RecordedTrack } from './recorded-file.js';

/** Live time, in ms since 1970. */
export interface LiveRange {
  readonly from: number;
  /** Not included. */
  readonly to: number;
}

/** Live time without a hole, all of it recorded as the same tracks. */
export interface RecordedSpan {
  /** Ms since 1970. */
  readonly start: number;
  /** Ms. */
  readonly duration: number;
  /** Codecs as RFC 6381 writes them. */
  readonly codecs: readonly string[];
  /** Whether the end moves on at this moment. */
  readonly isGrowing: boolean;
}

/** A file as pages see it. */
export interface PlayableFile extends Pick<RecordedFile, 'id' | 'container' | 'state' | 'startedAt' | 'bytes'> {
  readonly duration: number;
  readonly tracks: readonly RecordedTrack[];
  readonly gaps: readonly RecordedGap[];
  /** Whether clips and playlists can be made of it. */
  readonly isPlayable: boolean;
}

/** What is recorded of a path in some time. */
export interface RecordedTimeline {
  /** Of what can be played by time, the oldest first. */
  readonly spans: readonly RecordedSpan[];
  /** The oldest first. */
  readonly files: readonly PlayableFile[];
  /** Whether there are more files behind those that are told. */
  readonly isCut: boolean;
}

/** Bytes that are read as they are asked for. */
export interface RecordedContent {
  readonly type: string;
  /** Undefined where it isn't known before the end; then it is read from 0 on, once. */
  readonly size: number | undefined;
  /** Strong, with its quotes; undefined for what may still change. */
  readonly etag: string | undefined;
  /**
   * Reads from one byte to another, both included. What it opens is closed when the iteration ends or is left.
   *
   * @throws {RecordingError} while iterating, where a file is gone or can't be read
   */
  read(start: number, end: number): AsyncIterable<Buffer>;
}

export interface ClipQuestion {
  readonly path: StreamPath;
  readonly range: LiveRange;
  /** `mp4` can be sought in and resumed; `fmp4` begins at once, however long it is. */
  readonly format: 'mp4' | 'fmp4';
}

/** A part of what is recorded, as one file. */
export interface RecordedClip extends RecordedContent {
  /** When its first picture was live: that of the keyframe at or before what was asked for. Ms since 1970. */
  readonly start: number;
  /** Ms of media. */
  readonly duration: number;
  /** Live time that is missing in it, in ms: it plays on over it without a pause. */
  readonly missing: number;
  /** Why it ends before what was asked for. */
  readonly ends: 'as-asked' | 'no-more' | 'codec-change';
}

/** A whole file. */
export type WholeFile =
  | { readonly kind: 'here'; readonly file: RecordedFile; readonly content: RecordedContent }
  | { readonly kind: 'elsewhere'; readonly url: string };

/** Small pictures of a file, in one JPEG. */
export interface Storyboard {
  readonly jpeg: Buffer;
  readonly columns: number;
  /** Of each picture, in pixels. */
  readonly width: number;
  readonly height: number;
  /** When each picture is shown, in ms of media, and when the last one ends. */
  readonly times: readonly number[];
  readonly end: number;
}

/** What is recorded, for those who watch it. Access is checked before. */
export interface RecordingPlayback {
  /** @param range all if not given */
  timeline(path: StreamPath, range?: Partial<LiveRange>): Promise<RecordedTimeline>;
  /** @throws {RecordingError} */
  clip(question: ClipQuestion): Promise<RecordedClip>;
  /**
   * A media playlist of HLS. Its URIs are `recordings/{name}`, of what `segment` gives.
   *
   * @throws {RecordingError}
   */
  playlist(path: StreamPath, range: Partial<LiveRange>): Promise<string>;
  /**
   * A segment or an init segment of a playlist.
   *
   * @throws {RecordingError}
   */
  segment(path: StreamPath, name: string): Promise<RecordedContent>;
  /** @throws {RecordingError} */
  file(path: StreamPath, id: string): Promise<WholeFile>;
  /**
   * A JPEG of the keyframe at or before a place of a file.
   *
   * @param at ms of media
   * @throws {RecordingError}
   * @throws {Refusal} `unavailable`: there is no ffmpeg, or it can't make one
   */
  picture(path: StreamPath, id: string, at: number): Promise<Buffer>;
  /** @throws {RecordingError} @throws {Refusal} as `picture` */
  storyboard(path: StreamPath, id: string): Promise<Storyboard>;
}
