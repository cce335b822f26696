import type { PlaceScheme } from './drain/place.js';

/**
 * Why a request was refused or a session ended. Stable: logs, metrics and API answers name them, and each protocol
 * maps them to errors of its own.
 */
export type ReasonCode =
  /** The stream path is outside the grammar. */
  | 'bad-name'
  /** Nobody publishes this stream, and nobody began to while the viewer waited. */
  | 'not-live'
  /** What would serve it is missing: no ffmpeg, or no core that has time for it. */
  | 'unavailable'
  /** Another encoder publishes this stream, and the path's policy is to refuse a second one. */
  | 'already-publishing'
  /** It is being done already, and can't be done twice. */
  | 'busy'
  /** The address is on a deny list, or not on an allow list. */
  | 'address-denied'
  /** The session, viewer, credential or address is banned. */
  | 'banned'
  /** The path is closed for this action. */
  | 'closed'
  /** A credential is needed, and none was shown. */
  | 'credential-missing'
  /** A credential was shown that doesn't hold: wrong, tampered with, for another path, action or address. */
  | 'credential-invalid'
  /** A credential was shown that held once. */
  | 'credential-expired'
  /** Too many wrong credentials came from this address. */
  | 'too-many-failures'
  /** A callback said no. */
  | 'callback-refused'
  /** A callback that has a say could not be asked. */
  | 'callback-failed'
  /** The server that the stream comes from said no. */
  | 'origin-refused'
  /** A limit on sessions is reached. */
  | 'too-many-sessions'
  /** The server is being taken out of service; others may serve. */
  | 'draining'
  /** The server is going down. */
  | 'shutting-down';

interface RefusalOptions extends ErrorOptions {
  readonly elsewhere?: ((schemes: readonly PlaceScheme[]) => string | undefined) | undefined;
}

/** A request that is not granted. Thrown by the router and the access chain, answered by the protocol's handler. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: ReasonCode;
  readonly #elsewhere: RefusalOptions['elsewhere'];

  constructor(code: ReasonCode, message: string, options: RefusalOptions = {}) {
    super(message, options);
    this.code = code;
    this.#elsewhere = options.elsewhere;
  }

  /**
   * Where the same would be granted.
   *
   * @param schemes that will do, the best one first
   * @returns the base URL of another server
   */
  elsewhere(...schemes: readonly PlaceScheme[]): string | undefined {
    return this.#elsewhere?.(schemes);
  }
}

/** The text of whatever was thrown, for a log line. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
