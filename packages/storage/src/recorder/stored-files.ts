import type { RecordingContainer } from '@sluice/core';

/** A file under the recording root. */
export interface StoredFile {
  /** Its place, with `/` between names. */
  readonly file: string;
  readonly bytes: number;
  /** Ms since 1970. */
  readonly modifiedAt: number;
}

/** Whether a file is what it was when it was finished. */
export type StoredFileState =
  | { readonly kind: 'intact' }
  | { readonly kind: 'missing' }
  | { readonly kind: 'damaged'; readonly detail: string };

/** The files of recordings that nobody writes to any more. Every call rejects where the disk fails. */
export interface StoredFiles {
  list(): Promise<readonly StoredFile[]>;
  /** Reads it from beginning to end, where its size is right. */
  check(file: string, expected: { readonly bytes: number; readonly sha256: string }): Promise<StoredFileState>;
  /** Cuts off what is incomplete, and makes a whole file of the rest. */
  finish(
    file: string,
    container: RecordingContainer,
  ): Promise<{ readonly bytes: number; readonly durationMs: number; readonly sha256: string }>;
  /** With the folders that are empty then. @returns whether it was there */
  remove(file: string): Promise<boolean>;
  /** Bytes of the disk. */
  space(): Promise<{ readonly free: number }>;
}
