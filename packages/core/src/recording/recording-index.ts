import type { Millis } from '@sluice/media';
import type { StreamPath } from '../stream-path.js';
import type { RecordedFile, RecordedFileState } from './recorded-file.js';

export interface RecordedFileQuery {
  readonly path?: StreamPath | undefined;
  readonly recording?: string | undefined;
  readonly state?: RecordedFileState | undefined;
  readonly isLocal?: boolean | undefined;
  /** Files of which something was live in this time, in ms since 1970. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** Which come first. */
  readonly order: 'oldest' | 'newest';
  /** To go on after the last file of the answer before: its `startedAt` and its id. */
  readonly after?: { readonly startedAt: number; readonly id: string } | undefined;
  readonly limit: number;
}

/** What is recorded of a path. */
export interface RecordedPath {
  readonly path: StreamPath;
  readonly files: number;
  readonly bytes: number;
  readonly first: Millis;
  readonly last: Millis;
}

/** All recorded files, as the database knows them. */
export interface RecordingIndex {
  /** Inserts, or replaces the file of the same id. */
  put(file: RecordedFile): Promise<void>;
  delete(id: string): Promise<void>;
  /** Says whether a file is kept, whatever age and room say. Nothing where there is none of that id. */
  keep(id: string, isKept: boolean): Promise<void>;
  get(id: string): Promise<RecordedFile | undefined>;
  query(query: RecordedFileQuery): Promise<readonly RecordedFile[]>;
  paths(): Promise<readonly RecordedPath[]>;
}

/** What is recorded in all, of files in one state and in one place. */
export interface RecordingTotal {
  readonly state: RecordedFileState;
  readonly isLocal: boolean;
  readonly files: number;
  readonly bytes: number;
}

/** Sums over the index. */
export interface RecordingTotals {
  totals(): Promise<readonly RecordingTotal[]>;
}
