import type { RecordingTrouble } from '@sluice/core';

/** A part of a file that isn't written, so that it takes no room until it is: the first `at` bytes are before it. */
export interface ReservedRoom {
  readonly at: number;
  readonly bytes: number;
}

/** What the disk thread is asked. Files go by the number that `open` gave them. */
export type DiskCall =
  | { readonly kind: 'open'; readonly id: number; readonly file: string; readonly reserve: ReservedRoom | undefined }
  | { readonly kind: 'append'; readonly id: number; readonly bytes: Uint8Array }
  | { readonly kind: 'close'; readonly id: number }
  | { readonly kind: 'space'; readonly id: number };

/** What the disk thread tells. After `closed` and `failed` nothing more comes of a file. */
export type DiskNews =
  /** The first bytes are on the disk, in the file of this name. */
  | { readonly kind: 'opened'; readonly id: number; readonly file: string }
  /** The file is on the disk up to `length`; `taken` bytes of appends are done with. */
  | { readonly kind: 'flushed'; readonly id: number; readonly length: number; readonly taken: number }
  /** An empty file is removed, and has no length. */
  | { readonly kind: 'closed'; readonly id: number; readonly length: number }
  /** The file is closed, with `length` good bytes; without any it is removed. */
  | {
      readonly kind: 'failed';
      readonly id: number;
      readonly trouble: RecordingTrouble;
      readonly detail: string;
      readonly length: number;
    }
  | { readonly kind: 'space'; readonly id: number; readonly space: DiskSpace }
  | { readonly kind: 'space-unknown'; readonly id: number; readonly detail: string };

/** Of the file system that the recording root is on, in bytes. */
export interface DiskSpace {
  readonly total: number;
  /** What a program without privileges may still use. */
  readonly free: number;
}

/** What a thread of the recording disk begins with. */
export interface ThreadData {
  readonly root: string;
  /** Of the `ThreadWatch`. */
  readonly progress: SharedArrayBuffer;
}

/** Ends the thread, after what was asked before. */
export const STOP = 'stop';
