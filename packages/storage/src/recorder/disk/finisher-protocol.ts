import type { RecordingContainer } from '@sluice/core';
import type { RecordingDiskErrorCode } from './errors.js';

/** A file that is whole. */
export interface FinishedFile {
  readonly bytes: number;
  /** Ms of media. */
  readonly durationMs: number;
  /** Of all its bytes, in hex. */
  readonly sha256: string;
  /** Whether a player can begin, and seek, before it has the whole file. */
  readonly isFaststart: boolean;
  /** Whether something incomplete was cut off. */
  readonly repaired: boolean;
  /** What in the middle of it can't be read, in words; the rest plays. */
  readonly damage: readonly string[];
}

/** What a file was when it was finished. */
export interface ExpectedFile {
  readonly bytes: number;
  readonly sha256: string;
}

export type CheckResult =
  | { readonly kind: 'intact' }
  | { readonly kind: 'missing' }
  /** Of another length or with other bytes, or it can't be read; the detail says which. */
  | { readonly kind: 'damaged'; readonly detail: string };

/** A file under the recording root. */
export interface FoundFile {
  /** With `/` between names. */
  readonly file: string;
  readonly bytes: number;
  /** Ms since 1970. */
  readonly modifiedAt: number;
}

/** What the finisher's thread is asked. */
export type FinisherCall =
  | { readonly kind: 'finish'; readonly file: string; readonly container: RecordingContainer }
  | { readonly kind: 'check'; readonly file: string; readonly expected: ExpectedFile }
  | { readonly kind: 'remove'; readonly file: string }
  | { readonly kind: 'list' };

export type FinisherRequest = FinisherCall & { readonly id: number };

export type FinisherValue = FinishedFile | CheckResult | boolean | readonly FoundFile[];

export type FinisherAnswer =
  | { readonly kind: 'value'; readonly id: number; readonly value: FinisherValue }
  | {
      readonly kind: 'error';
      readonly id: number;
      readonly code: RecordingDiskErrorCode;
      readonly message: string;
    };
