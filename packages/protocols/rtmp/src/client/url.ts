import { RtmpError } from '../errors.js';
import type { RtmpClientTarget } from '../session/client-session.js';

/** Where to connect to, and what to ask for there. */
export interface RtmpUrl extends RtmpClientTarget {
  readonly host: string;
  readonly port: number;
  readonly encrypted: boolean;
}

/** 443 is what platforms that take RTMPS listen on. */
const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'rtmp:': 1935, 'rtmps:': 443 };

/**
 * `rtmp://host[:port]/app/stream[?query]`; the last part of the path is the stream.
 *
 * @throws {RtmpError} `malformed`; the message doesn't repeat the query, which may hold a key
 */
export function parseRtmpUrl(text: string): RtmpUrl {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const defaultPort = url === undefined ? undefined : DEFAULT_PORTS[url.protocol];
  const shown = text.split(/[?#]/)[0];
  if (url === undefined || defaultPort === undefined) {
    throw new RtmpError('malformed', `${shown} is no RTMP URL; write rtmp://host/app/stream`);
  }
  const path = url.pathname.replace(/^\/+/, '');
  const cut = path.lastIndexOf('/');
  if (cut <= 0 || cut === path.length - 1) throw new RtmpError('malformed', `${shown} lacks an app or a stream`);
  const app = path.slice(0, cut);
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? defaultPort : Number(url.port),
    encrypted: url.protocol === 'rtmps:',
    app,
    // Stream keys may hold a `#`; here it begins no fragment.
    stream: path.slice(cut + 1) + url.search + url.hash,
    tcUrl: `${url.protocol}//${url.host}/${app}`,
  };
}
