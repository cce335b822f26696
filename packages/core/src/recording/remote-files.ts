import type { Readable } from 'node:stream';
import type { RecordedFile } from './recorded-file.js';

/** Copies of recorded files in an object store. Each call rejects, saying why, where the store can't be asked. */
export interface RemoteFiles {
  /**
   * A URL by which anybody can fetch the file, ranges included, for a bounded time.
   *
   * @returns undefined where it has no copy, or is to be played through this server
   */
  url(file: RecordedFile): Promise<string | undefined>;
  /** Bytes of the copy. Destroy the stream to stop reading. @param range in bytes; by default all */
  read(file: RecordedFile, range?: { readonly offset: number; readonly length: number }): Promise<Readable>;
  /**
   * Ends an upload of the file, and deletes its copy. To be called before the file leaves the index: where it rejects,
   * the copy may still be there, and the index is all that knows of it.
   */
  delete(file: RecordedFile): Promise<void>;
}
