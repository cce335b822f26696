import type { ServerClock } from './server-clock.js';

/** A track as the server describes it. */
export interface TrackStatus {
  readonly kind: 'video' | 'audio';
  readonly codec: string;
  readonly codecString: string;
  readonly width?: number;
  readonly height?: number;
  readonly frameRate?: number;
  readonly sampleRate?: number;
  readonly channels?: number;
}

export interface StreamStatus {
  readonly path: string;
  /** `waiting`: the encoder is gone, and the server waits a while for it to come back. */
  readonly state: 'live' | 'waiting' | 'offline';
  readonly since?: string;
  readonly viewers: number;
  readonly tracks: readonly TrackStatus[];
  /** Pictures come in another order than they are shown in. */
  readonly bFrames?: boolean;
}

export interface ServerAbout {
  readonly name: string;
  readonly version: string;
  readonly rtmpPort: number;
}

/** What the start page shows. */
export type StreamList =
  | { readonly kind: 'streams'; readonly streams: readonly StreamStatus[]; readonly server: ServerAbout }
  /** The operator keeps the list to themselves. */
  | { readonly kind: 'hidden' };

const TIMEOUT_MS = 5000;

/** Asks the server which streams there are and how they stand. */
export class StatusClient {
  readonly #clock: ServerClock;
  readonly #search: string;

  /**
   * @param clock set by each answer
   * @param search the page's own query, which may hold a credential
   */
  constructor(clock: ServerClock, search = '') {
    this.#clock = clock;
    this.#search = search;
  }

  /** @throws where the server can't be reached */
  async streams(): Promise<StreamList> {
    const response = await this.#get('/status/streams');
    if (response.status === 403) return { kind: 'hidden' };
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    const { streams, server } = (await response.json()) as { streams: StreamStatus[]; server: ServerAbout };
    return { kind: 'streams', streams, server };
  }

  /**
   * @returns the HTTP status where the server doesn't tell this viewer
   * @throws where the server can't be reached
   */
  async stream(path: string): Promise<StreamStatus | number> {
    const response = await this.#get(`/status/streams/${path}${this.#search}`);
    if (response.status >= 400 && response.status < 500) return response.status;
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    return (await response.json()) as StreamStatus;
  }

  async #get(url: string): Promise<Response> {
    const sentAt = Date.now();
    const response = await fetch(url, { cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT_MS) });
    this.#clock.observe(response.headers.get('Date'), sentAt, Date.now());
    return response;
  }
}

/** Whether a player that plays the one can go on with the other. */
export function sameCodecs(a: readonly TrackStatus[], b: readonly TrackStatus[]): boolean {
  const codecs = (tracks: readonly TrackStatus[]) =>
    tracks
      .map((track) => track.codec)
      .sort()
      .join(' ');
  return codecs(a) === codecs(b);
}
