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
  /** How far back HLS viewers can go, in seconds. */
  readonly timeShiftSeconds?: number;
  /** Smaller versions, each a stream of its own below the path. */
  readonly renditions?: readonly string[];
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
  readonly #server: string;

  /**
   * @param clock set by each answer
   * @param server its origin; the page's own where it is left out
   */
  constructor(clock: ServerClock, server = '') {
    this.#clock = clock;
    this.#server = server;
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
   * @param query for the server: it may hold a credential
   * @returns the HTTP status where the server doesn't tell this viewer
   * @throws where the server can't be reached
   */
  async stream(path: string, query = ''): Promise<StreamStatus | number> {
    const response = await this.#get(`/status/streams/${path}${query === '' ? '' : `?${query}`}`);
    if (response.status >= 400 && response.status < 500) return response.status;
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    return (await response.json()) as StreamStatus;
  }

  async #get(url: string): Promise<Response> {
    const sentAt = Date.now();
    const response = await fetch(this.#server + url, { cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT_MS) });
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
