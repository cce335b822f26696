import type { StorageErrorCode } from '../errors.js';

/** What the database's thread is asked. */
export interface Call {
  readonly id: number;
  readonly table: string;
  readonly method: string;
  readonly args: readonly unknown[];
}

export type Answer =
  /** The database is open. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'value'; readonly id: number; readonly value: unknown }
  /** Without an id: it couldn't be opened. */
  | {
      readonly kind: 'error';
      readonly id: number | undefined;
      readonly code: StorageErrorCode;
      readonly message: string;
    };

/** Ends the thread, after what was asked before. */
export const CLOSE = 'close';
