/** Why bytes or a description were not taken. Stable, for logs and tests. */
export type WebRtcErrorCode =
  /** Bytes, or a description, that contradict the protocol. */
  | 'malformed'
  /** What the peer wants is not possible here. */
  | 'unsupported'
  /** A message whose integrity doesn't hold. */
  | 'not-authentic'
  /** A server that is not found, can't be connected to, or doesn't answer. */
  | 'unreachable';

/** A fault of the protocol. */
export class WebRtcError extends Error {
  override readonly name = 'WebRtcError';
  readonly code: WebRtcErrorCode;

  constructor(code: WebRtcErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export function malformed(what: string): WebRtcError {
  return new WebRtcError('malformed', what);
}
