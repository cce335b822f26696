import { type MediaRoute, mediaRouteOf, readRequestTarget } from '@sluice/delivery';
import type { PastStreams } from './past-streams.js';

/** Where an HTTP request is answered. */
export type RequestPlace =
  /** In the main process, which alone has what is asked for. */
  | 'main'
  /** In any worker. */
  | 'any-worker'
  /** In the worker of the client's address: one that asks again and again is to find the same numbers there. */
  | 'worker-of-address';

const REQUEST_LINE = /^(GET|HEAD|OPTIONS|POST|PATCH|DELETE) (\S+) HTTP\/1\.[01]\r?$/;

/** Where the request is answered that begins with a line, RFC 9112 §3. What can't be read is the main process's. */
export function placeOfRequest(line: string, past: PastStreams): RequestPlace {
  const [, , target] = REQUEST_LINE.exec(line) ?? [];
  const pathname = readRequestTarget(target)?.pathname;
  return pathname === undefined ? 'main' : placeOfRoute(mediaRouteOf(pathname), past);
}

export function placeOfRoute(route: MediaRoute, past: PastStreams): RequestPlace {
  switch (route.kind) {
    case 'flv':
      return 'any-worker';
    case 'hls-playlist':
    case 'hls-resource':
      return past.has(route.path) || past.isBehindCdn ? 'main' : 'worker-of-address';
    case 'sdp':
      return route.action === 'play' ? 'worker-of-address' : 'main';
    case 'mpd':
    case 'dash-resource':
    case 'time':
      return past.isBehindCdn ? 'main' : 'worker-of-address';
    default:
      return 'main';
  }
}
