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
  readonly state: 'live' | 'waiting' | 'offline';
  readonly since?: string;
  readonly viewers: number;
  readonly tracks: readonly TrackStatus[];
}

/** What the start page shows. */
export type StreamList =
  | { readonly kind: 'streams'; readonly streams: readonly StreamStatus[]; readonly rtmpPort: number }
  /** The operator keeps the list to themselves. */
  | { readonly kind: 'hidden' };

const TIMEOUT_MS = 5000;

async function get(url: string): Promise<Response> {
  return fetch(url, { cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT_MS) });
}

/** @throws where the server can't be reached */
export async function fetchStreams(): Promise<StreamList> {
  const response = await get('/status/streams');
  if (response.status === 403) return { kind: 'hidden' };
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  const { streams, server } = (await response.json()) as { streams: StreamStatus[]; server: { rtmpPort: number } };
  return { kind: 'streams', streams, rtmpPort: server.rtmpPort };
}

/** @throws where the server can't be reached or the name can't be one of a stream */
export async function fetchStream(path: string): Promise<StreamStatus> {
  const response = await get(`/status/streams/${path}`);
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  return (await response.json()) as StreamStatus;
}
