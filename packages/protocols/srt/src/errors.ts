/** Why a datagram was not taken, or a connection ended. Stable, for logs and tests. */
export type SrtErrorCode =
  /** Bytes that contradict the protocol. */
  | 'malformed'
  /** What the peer wants is not possible here. */
  | 'unsupported'
  /** The peer said no; `rejection` says why. */
  | 'rejected'
  /** The peer has been silent for too long. */
  | 'time-out'
  /** The connection ended before what was asked for was done. */
  | 'closed';

/** A fault of the protocol. */
export class SrtError extends Error {
  override readonly name = 'SrtError';
  readonly code: SrtErrorCode;

  constructor(code: SrtErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export function malformed(what: string): SrtError {
  return new SrtError('malformed', what);
}
