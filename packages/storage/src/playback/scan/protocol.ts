import type { MediaErrorCode, Mp4Index } from '@sluice/media';

/** What the thread is asked: what is in a file, which stays open until the answer. */
export interface ScanQuestion {
  readonly id: number;
  /** Descriptors are the same in all threads of a process. */
  readonly fd: number;
  /** Bytes of the file that are looked at. */
  readonly size: number;
}

/** Buffers come as plain arrays of bytes. */
export type ScanAnswer =
  | { readonly id: number; readonly kind: 'index'; readonly index: Mp4Index }
  /** `code` where the file is at fault, and not the disk. */
  | {
      readonly id: number;
      readonly kind: 'error';
      readonly code: MediaErrorCode | undefined;
      readonly message: string;
    };
