/** Why bytes were not taken. Stable, for logs and tests. */
export type RtpErrorCode =
  /** Bytes that contradict the protocol. */
  | 'malformed'
  /** What is asked for is not possible here. */
  | 'unsupported'
  /** A packet that was tampered with, or was there before. */
  | 'not-authentic';

/** A fault of the protocol. */
export class RtpError extends Error {
  override readonly name = 'RtpError';
  readonly code: RtpErrorCode;

  constructor(code: RtpErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export function malformed(what: string): RtpError {
  return new RtpError('malformed', what);
}
