/**
 * Why a request was refused or a session ended. Stable: logs, metrics and API answers name them, and each protocol
 * maps them to errors of its own.
 */
export type ReasonCode =
  /** The stream path is outside the grammar. */
  | 'bad-name'
  /** Nobody publishes this stream, and nobody began to while the viewer waited. */
  | 'not-live'
  /** Another encoder publishes this stream, and the path's policy is to refuse a second one. */
  | 'already-publishing'
  /** A limit on sessions is reached. */
  | 'too-many-sessions'
  /** The server is going down. */
  | 'shutting-down';

/** A request that is not granted. Thrown by the router and the access chain, answered by the protocol's handler. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: ReasonCode;

  constructor(code: ReasonCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The text of whatever was thrown, for a log line. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
