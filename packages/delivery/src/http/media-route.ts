import { type RecordingRoute, recordingRouteOf } from './recording-route.js';
import { sdpActionOf } from './sdp/sdp-route.js';

/** What a URL asks for. Paths of streams are as they were written; nobody has checked them. */
export type MediaRoute =
  | { readonly kind: 'flv'; readonly path: string }
  | { readonly kind: 'hls-playlist'; readonly path: string }
  | { readonly kind: 'hls-resource'; readonly path: string; readonly name: string }
  | { readonly kind: 'mpd'; readonly path: string }
  | { readonly kind: 'dash-resource'; readonly path: string; readonly name: string }
  /** The server's clock, which DASH players go by. */
  | { readonly kind: 'time' }
  | { readonly kind: 'snapshot'; readonly path: string }
  /** WHIP and WHEP. */
  | { readonly kind: 'sdp'; readonly action: 'publish' | 'play' }
  | { readonly kind: 'recording'; readonly recording: RecordingRoute }
  /** Leads to the console, which the control API serves. */
  | { readonly kind: 'console' }
  | { readonly kind: 'status-list' }
  | { readonly kind: 'status'; readonly path: string }
  /** A page, what belongs to it, or nothing. */
  | { readonly kind: 'page' };

const HLS_SEGMENT = /^\/(.+)\/hls\/([^/]+)$/;
const DASH_SEGMENT = /^\/(.+)\/dash\/([^/]+)$/;
const STATUS_STREAM = /^\/status\/streams\/(.+)$/;

/** Reads a URL's path. */
export function mediaRouteOf(pathname: string): MediaRoute {
  const action = sdpActionOf(pathname);
  if (action !== undefined) return { kind: 'sdp', action };
  if (pathname === '/console' || pathname === '/console/') return { kind: 'console' };
  if (pathname === '/status/streams') return { kind: 'status-list' };
  const [, statusOf] = STATUS_STREAM.exec(pathname) ?? [];
  if (statusOf !== undefined) return { kind: 'status', path: statusOf };
  if (pathname === '/' || pathname.startsWith('/assets/') || pathname.startsWith('/player/')) return { kind: 'page' };
  const recording = recordingRouteOf(pathname);
  if (recording !== undefined) return { kind: 'recording', recording };
  if (pathname.endsWith('.flv')) return { kind: 'flv', path: withoutEnd(pathname, '.flv') };
  if (pathname.endsWith('.m3u8')) return { kind: 'hls-playlist', path: withoutEnd(pathname, '.m3u8') };
  if (pathname.endsWith('.jpg')) return { kind: 'snapshot', path: withoutEnd(pathname, '.jpg') };
  const [, hlsPath, hlsName] = HLS_SEGMENT.exec(pathname) ?? [];
  if (hlsPath !== undefined && hlsName !== undefined) return { kind: 'hls-resource', path: hlsPath, name: hlsName };
  if (pathname.endsWith('.mpd')) return { kind: 'mpd', path: withoutEnd(pathname, '.mpd') };
  const [, dashPath, dashName] = DASH_SEGMENT.exec(pathname) ?? [];
  if (dashPath !== undefined && dashName !== undefined)
    return { kind: 'dash-resource', path: dashPath, name: dashName };
  return pathname === '/time' ? { kind: 'time' } : { kind: 'page' };
}

function withoutEnd(pathname: string, end: string): string {
  return pathname.slice(1, -end.length);
}
