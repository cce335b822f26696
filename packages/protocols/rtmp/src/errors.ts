/** Why a connection was ended. Stable, for logs and tests. */
export type RtmpErrorCode =
  /** The peer doesn't speak RTMP, or not a version that is known. */
  | 'handshake'
  /** Bytes or commands that contradict the protocol. */
  | 'malformed'
  /** A named cap was passed. */
  | 'too-large'
  /** Something was to happen within a time, and didn't. */
  | 'time-out'
  /** The server has as many connections as it may have. */
  | 'too-many-connections'
  /** The other side said no. */
  | 'refused'
  /** The connection ended before what was asked for was done. */
  | 'closed';

/** A fault of the protocol. Thrown by wire and session, caught by the connection's owner. */
export class RtmpError extends Error {
  override readonly name = 'RtmpError';
  readonly code: RtmpErrorCode;
  /** Of `refused`: the other side's word for it, as in `NetStream.Play.StreamNotFound`, where it has one. */
  readonly status: string | undefined;
  /** Where a server that refused says that the same would be granted: a whole URL. */
  readonly redirect: string | undefined;

  constructor(
    code: RtmpErrorCode,
    message: string,
    options: ErrorOptions & { readonly status?: string | undefined; readonly redirect?: string | undefined } = {},
  ) {
    super(message, options);
    this.code = code;
    this.status = options.status;
    this.redirect = options.redirect;
  }
}

/** The status codes with which a publish or a play is refused. */
export type RtmpRefusalCode =
  | 'NetConnection.Connect.Rejected'
  | 'NetStream.Publish.BadName'
  | 'NetStream.Publish.Denied'
  | 'NetStream.Play.StreamNotFound'
  | 'NetStream.Play.Failed';

/** Thrown by a handler to refuse a request; its code and message go to the client. */
export class RtmpRefusal extends Error {
  override readonly name = 'RtmpRefusal';
  readonly code: RtmpRefusalCode;
  /** Where the same would be granted: the base URL of another server, `rtmp://host:port`. */
  readonly redirect: string | undefined;

  constructor(code: RtmpRefusalCode, message: string, options: { readonly redirect?: string | undefined } = {}) {
    super(message);
    this.code = code;
    this.redirect = options.redirect;
  }
}
