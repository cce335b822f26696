/** Why an object store didn't do what it was asked. Stable. */
export type ObjectStoreErrorCode =
  /** No bucket is configured. */
  | 'off'
  /** No key, a wrong one, or one without the right to do this. */
  | 'refused'
  | 'no-bucket'
  /** There is no such object. */
  | 'missing'
  /** The upload in parts is over, or was ended by somebody else. */
  | 'no-upload'
  /** Its name or address leads nowhere, or it doesn't answer in time. */
  | 'unreachable'
  /** It asks for patience, or has a fault of its own. */
  | 'busy'
  /** What it has is not what was uploaded. */
  | 'mismatch'
  /** The caller doesn't want it any more. */
  | 'stopped'
  | 'failed';

/** Its message holds no credential. */
export class ObjectStoreError extends Error {
  override readonly name = 'ObjectStoreError';
  readonly code: ObjectStoreErrorCode;

  constructor(code: ObjectStoreErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The file under the recording root is not the one that the index knows. */
export class LocalFileError extends Error {
  override readonly name = 'LocalFileError';
  readonly code: 'missing' | 'altered';

  constructor(code: LocalFileError['code'], message: string) {
    super(message);
    this.code = code;
  }
}
