/** Why something recorded can't be given. Stable: HTTP answers name it. */
export type RecordingErrorCode =
  /** Nothing is recorded then, or there is no such file. */
  | 'not-recorded'
  /** It can't be had in this form: a clip of FLV or TS, a playlist of a codec that MP4 lacks. */
  | 'not-possible'
  /** More than is given at once. */
  | 'too-long'
  /** The file can't be read: it is gone, or is not what it was. */
  | 'unreadable';

/** What is recorded can't be given. The message says why, and the way out. */
export class RecordingError extends Error {
  override readonly name = 'RecordingError';
  readonly code: RecordingErrorCode;

  constructor(code: RecordingErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
