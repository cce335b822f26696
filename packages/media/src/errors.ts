/** Why bytes could not be read or written as media. Stable, for logs and tests. */
export type MediaErrorCode =
  /** A length or a field contradicts the format. */
  | 'malformed'
  /** More bytes were promised than are there. */
  | 'truncated'
  /** Correct, but a codec, version or feature that is not supported. */
  | 'unsupported'
  /** A named cap on untrusted input was passed. */
  | 'too-large'
  /** A sample came before the configuration of its track. */
  | 'no-config';

/** Thrown by codecs and containers; caught by the owner of the connection, and by nobody on the way. */
export class MediaError extends Error {
  override readonly name = 'MediaError';
  readonly code: MediaErrorCode;

  /** @param message what is wrong, with the value that is */
  constructor(code: MediaErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
