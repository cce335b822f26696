import type { TrackStatus } from './status-client.js';

export type PlayerProtocol = 'flv' | 'ws-flv' | 'hls';

export const PROTOCOL_NAMES: Readonly<Record<PlayerProtocol, string>> = {
  flv: 'HTTP-FLV',
  'ws-flv': 'WS-FLV',
  hls: 'HLS',
};

/** Codecs that the FLV engine can hand to the browser. */
const FLV_CODECS: ReadonlySet<string> = new Set(['h264', 'hevc', 'av1', 'aac', 'mp3', 'opus']);
/** Codecs that the server's MPEG-TS segments can carry. */
const HLS_CODECS: ReadonlySet<string> = new Set(['h264', 'hevc', 'aac', 'mp3']);

export function isProtocol(text: string | null): text is PlayerProtocol {
  return text === 'flv' || text === 'ws-flv' || text === 'hls';
}

/** What this browser can do. */
export interface BrowserAbilities {
  readonly mediaSource: boolean;
  readonly nativeHls: boolean;
  readonly supports: (mimeType: string) => boolean;
}

/** The codecs of a stream that can't be played by a protocol here. */
export function unplayable(
  tracks: readonly TrackStatus[],
  protocol: PlayerProtocol,
  browser: BrowserAbilities,
): TrackStatus[] {
  const carried = protocol === 'hls' ? HLS_CODECS : FLV_CODECS;
  return tracks.filter((track) => {
    if (!carried.has(track.codec)) return true;
    if (!browser.mediaSource) return false;
    const container = track.codec === 'mp3' ? 'audio/mpeg' : `${track.kind}/mp4; codecs="${track.codecString}"`;
    return !browser.supports(container);
  });
}

/** The protocol to begin with: the one asked for, else the quickest one that plays every track. */
export function chooseProtocol(
  asked: string | null,
  tracks: readonly TrackStatus[],
  browser: BrowserAbilities,
): PlayerProtocol {
  if (isProtocol(asked)) return asked;
  if (!browser.mediaSource) return 'hls';
  return unplayable(tracks, 'flv', browser).length === 0 ? 'flv' : 'hls';
}

/** `/player/live/show` → `live/show`; undefined for any other path. */
export function streamPathOf(pathname: string): string | undefined {
  return /^\/player\/([A-Za-z0-9_-][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)+)$/.exec(pathname)?.[1];
}

/** Where a stream is to be had by a protocol. */
export function mediaUrl(origin: string, path: string, protocol: PlayerProtocol): string {
  if (protocol === 'hls') return `${origin}/${path}.m3u8`;
  return `${protocol === 'flv' ? origin : origin.replace(/^http/, 'ws')}/${path}.flv`;
}
