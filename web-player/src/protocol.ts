import type { TrackStatus } from './status-client.js';

export type PlayerProtocol = 'webrtc' | 'll-hls' | 'flv' | 'hls' | 'ws-flv';
export type EngineKind = 'flv' | 'hls' | 'native-hls' | 'whep';

export const PROTOCOL_NAMES: Readonly<Record<PlayerProtocol, string>> = {
  webrtc: 'WebRTC',
  'll-hls': 'LL-HLS',
  flv: 'HTTP-FLV',
  hls: 'HLS',
  'ws-flv': 'WS-FLV',
};

/** All of them. */
export const PROTOCOLS: readonly PlayerProtocol[] = ['webrtc', 'll-hls', 'flv', 'hls', 'ws-flv'];

/** In what order they are tried where none is asked for. */
const AUTOMATIC: readonly PlayerProtocol[] = ['webrtc', 'll-hls', 'flv', 'hls'];

/** Codecs that the FLV engine can hand to the browser. */
const FLV_CODECS: ReadonlySet<string> = new Set(['h264', 'hevc', 'av1', 'aac', 'mp3', 'opus']);
/** Codecs that the server's MPEG-TS segments can carry; Opus it turns into AAC. */
const HLS_CODECS: ReadonlySet<string> = new Set(['h264', 'hevc', 'aac', 'mp3', 'opus']);
/** Codecs that go by WebRTC; other sound than Opus the server turns into it. */
const WEBRTC_CODECS: ReadonlySet<string> = new Set(['h264', 'hevc', 'vp8', 'vp9', 'av1', 'opus', 'aac', 'mp3']);
const CODECS_OF: Readonly<Record<EngineKind, ReadonlySet<string>>> = {
  flv: FLV_CODECS,
  hls: HLS_CODECS,
  'native-hls': HLS_CODECS,
  whep: WEBRTC_CODECS,
};
/** As SDP writes them. */
const SDP_NAMES: Readonly<Record<string, string>> = { h264: 'H264', hevc: 'H265', vp8: 'VP8', vp9: 'VP9', av1: 'AV1' };
const AAC = 'mp4a.40.2';
export function isProtocol(text: string | null): text is PlayerProtocol {
  return PROTOCOLS.some((protocol) => protocol === text);
}

/** What this browser can do. */
export interface BrowserAbilities {
  /** Media Source Extensions: `managed` is the kind that phones by Apple have. */
  readonly mediaSource: 'full' | 'managed' | 'none';
  readonly nativeHls: boolean;
  /** Whether a media source takes a MIME type. */
  readonly sourcePlays: (mimeType: string) => boolean;
  /** Whether it takes a picture by WebRTC, as SDP names its codec: `H264`. */
  readonly peerPlays: (codec: string) => boolean;
  /** Whether the video element itself does. */
  readonly elementPlays: (mimeType: string) => boolean;
}

/** What could play a protocol here, best first. */
function candidates(protocol: PlayerProtocol, { mediaSource, nativeHls }: BrowserAbilities): EngineKind[] {
  if (protocol === 'webrtc') return ['whep'];
  if (protocol === 'flv' || protocol === 'ws-flv') return mediaSource === 'none' ? [] : ['flv'];
  const own: EngineKind[] = mediaSource === 'none' ? [] : ['hls'];
  const native: EngineKind[] = nativeHls ? ['native-hls'] : [];
  return mediaSource === 'full' ? [...own, ...native] : [...native, ...own];
}

function plays(engine: EngineKind, track: TrackStatus, browser: BrowserAbilities): boolean {
  if (!CODECS_OF[engine].has(track.codec)) return false;
  // The server turns other sound into Opus here, which all browsers take.
  if (engine === 'whep') return track.kind === 'audio' || browser.peerPlays(SDP_NAMES[track.codec] ?? track.codec);
  // And Opus into AAC here.
  const codecString = track.codec === 'opus' ? AAC : track.codecString;
  const mimeType = track.codec === 'mp3' ? 'audio/mpeg' : `${track.kind}/mp4; codecs="${codecString}"`;
  return engine === 'native-hls' ? browser.elementPlays(mimeType) : browser.sourcePlays(mimeType);
}

/** The engine that plays every track of a stream over a protocol here; undefined if there is none. */
export function engineFor(
  protocol: PlayerProtocol,
  tracks: readonly TrackStatus[],
  browser: BrowserAbilities,
): EngineKind | undefined {
  return candidates(protocol, browser).find((engine) => tracks.every((track) => plays(engine, track, browser)));
}

/** The protocols over which a stream can be played here. */
export function playableProtocols(tracks: readonly TrackStatus[], browser: BrowserAbilities): PlayerProtocol[] {
  return PROTOCOLS.filter((protocol) => engineFor(protocol, tracks, browser) !== undefined);
}

/** The tracks that keep a stream from being played over a protocol here. */
export function unplayableTracks(
  protocol: PlayerProtocol,
  tracks: readonly TrackStatus[],
  browser: BrowserAbilities,
): TrackStatus[] {
  const engines = candidates(protocol, browser);
  return tracks.filter((track) => !engines.some((engine) => plays(engine, track, browser)));
}

/** What is known of the ways to a stream. */
export interface Ways {
  /** Whether it failed a while ago. */
  readonly hasFailed: (protocol: PlayerProtocol) => boolean;
  /** Which WebRTC leaves out, so that the picture stutters. */
  readonly bFrames?: boolean | undefined;
}

/** The protocols to try where none is asked for, best first: those that play every track, and have not failed. */
export function automaticProtocols(
  tracks: readonly TrackStatus[],
  browser: BrowserAbilities,
  { hasFailed, bFrames = false }: Ways,
): PlayerProtocol[] {
  return AUTOMATIC.filter((protocol) => {
    if (protocol === 'webrtc' && bFrames) return false;
    return !hasFailed(protocol) && engineFor(protocol, tracks, browser) !== undefined;
  });
}

/** `/player/live/show` or `/publish/live/show` → `live/show`; undefined for any other path. */
export function streamPathOf(pathname: string): string | undefined {
  return /^\/(?:player|publish)\/([A-Za-z0-9_-][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)+)\/?$/.exec(
    pathname,
  )?.[1];
}

/**
 * Where a stream is to be had by a protocol.
 *
 * @param server its origin
 * @param query for the server, as it is: a token, say; empty where there is nothing to say
 */
export function mediaUrl(server: string, path: string, protocol: PlayerProtocol, query = ''): string {
  const tail = query === '' ? '' : `?${query}`;
  switch (protocol) {
    case 'hls':
    case 'll-hls':
      return `${server}/${path}.m3u8${tail}`;
    case 'webrtc':
      return `${server}/whep/${path}${tail}`;
    case 'flv':
      return `${server}/${path}.flv${tail}`;
    case 'ws-flv':
      return `${server.replace(/^http/, 'ws')}/${path}.flv${tail}`;
  }
}
