import type { RecordedFile } from './recorded-file.js';

/** Bytes of a file, both ends included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Files that only an object store has. */
export interface RemoteFiles {
  /** Where anybody can fetch the whole file for a while; undefined where it is to go through this server. */
  url(file: RecordedFile): Promise<string | undefined>;
  /** Its bytes, as they come. Whoever stops iterating ends the request. */
  read(file: RecordedFile, range: ByteRange): AsyncIterable<Buffer>;
}
