/** What went wrong with the database. Stable. */
export type StorageErrorCode =
  /** The directory or the file can't be used: missing rights, a file where a directory should be, damage. */
  | 'unusable'
  /** Another process has the database open. */
  | 'in-use'
  /** The database was written by a later version. */
  | 'too-new'
  /** More is being asked than the disk can follow. */
  | 'busy'
  /** The database was closed, or its thread has ended. */
  | 'closed'
  /** A call failed. */
  | 'failed';

export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly code: StorageErrorCode;

  constructor(code: StorageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
