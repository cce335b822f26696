import { Backoff } from '../backoff.js';
import { type SdpEndpoint, SdpExchangeError } from '../webrtc/sdp-exchange.js';
import { ConnectionError, type SentMedia, type SentTrack, type TrackKind, WhipConnection } from './whip-connection.js';

/** How a publication stands. */
export type WhipState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  /** It was live, and is to be again. */
  | { readonly kind: 'retrying'; readonly because: Error; readonly attempt: number }
  /** Nothing comes after it. */
  | { readonly kind: 'ended'; readonly because: Error | undefined };

export interface WhipClientOptions {
  readonly endpoint: SdpEndpoint;
  readonly media: SentMedia;
  readonly changed: (state: WhipState) => void;
}

/** Answers that a server which is busy, going down, or still holds our own last session may take back. */
const PASSING_STATUS: ReadonlySet<number> = new Set([409, 429]);
const SERVER_FAULT = 500;
/** A connection that held for this long has proved itself. */
const PROVED_MS = 10_000;

/** Publishes by WHIP until it is stopped: what was live once and broke is begun anew, with growing pauses. */
export class WhipClient {
  readonly #endpoint: SdpEndpoint;
  readonly #changed: (state: WhipState) => void;
  readonly #backoff = new Backoff();
  #media: SentMedia;
  #connection: WhipConnection | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #state: WhipState = { kind: 'connecting' };
  #wasLive = false;
  #liveSince = Number.POSITIVE_INFINITY;

  /** Begins at once. */
  constructor({ endpoint, media, changed }: WhipClientOptions) {
    this.#endpoint = endpoint;
    this.#media = media;
    this.#changed = changed;
    this.#connect();
  }

  get state(): WhipState {
    return this.#state;
  }

  /**
   * Sends another track, or none: in the same session where that is possible, else in a new one.
   *
   * @param music for sound, whether it is music; what that changes in the description holds from the next session
   */
  async replace(kind: TrackKind, sent: SentTrack | undefined, music = this.#media.music): Promise<void> {
    this.#media = { ...this.#media, [kind]: sent, music };
    const connection = this.#connection;
    if (connection === undefined) return;
    if (sent !== undefined && connection.sends(kind)) await connection.replace(kind, sent);
    else this.#begin();
  }

  /** Changes what the encoder may spend on the picture. */
  async encodePicture(encoding: RTCRtpEncodingParameters): Promise<void> {
    const { video } = this.#media;
    if (video === undefined) return;
    this.#media = { ...this.#media, video: { ...video, encoding } };
    await this.#connection?.encode('video', encoding);
  }

  /** @returns undefined while there is no connection */
  async statistics(): Promise<RTCStatsReport | undefined> {
    return this.#connection?.statistics();
  }

  /** Ends it for good. Resolves when the server has been told. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    const connection = this.#connection;
    this.#connection = undefined;
    if (this.#state.kind !== 'ended') this.#enter({ kind: 'ended', because: undefined });
    await connection?.close();
  }

  /** A new session, in place of the one that is, with what is to be sent now. */
  #begin(): void {
    const before = this.#connection;
    this.#connection = undefined;
    this.#enter({ kind: 'connecting' });
    void (before?.close() ?? Promise.resolve()).then(() => {
      if (this.#state.kind === 'connecting' && this.#connection === undefined) this.#connect();
    });
  }

  #connect(): void {
    const connection: WhipConnection = new WhipConnection(this.#endpoint, this.#media, {
      connected: () => {
        if (connection === this.#connection) this.#connected();
      },
      failed: (error) => {
        if (connection === this.#connection) this.#failed(error);
      },
    });
    this.#connection = connection;
  }

  #connected(): void {
    if (this.#state.kind === 'live') return;
    this.#wasLive = true;
    this.#liveSince = performance.now();
    this.#enter({ kind: 'live' });
  }

  #failed(error: Error): void {
    this.#connection = undefined;
    if (!this.#wasLive || !mayPass(error)) {
      this.#enter({ kind: 'ended', because: error });
      return;
    }
    if (performance.now() - this.#liveSince > PROVED_MS) this.#backoff.reset();
    this.#liveSince = Number.POSITIVE_INFINITY;
    this.#timer = setTimeout(() => this.#connect(), this.#backoff.next());
    this.#enter({ kind: 'retrying', because: error, attempt: this.#backoff.attempts });
  }

  #enter(state: WhipState): void {
    this.#state = state;
    this.#changed(state);
  }
}

/** Whether the same may work in a while. */
function mayPass(error: Error): boolean {
  if (error instanceof ConnectionError) return error.code !== 'no-h264';
  if (!(error instanceof SdpExchangeError)) return false;
  const { code, status } = error;
  return code === 'unreachable' || (status !== undefined && (status >= SERVER_FAULT || PASSING_STATUS.has(status)));
}
