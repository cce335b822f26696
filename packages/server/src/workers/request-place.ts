import { type LiveConfig, settingsFor, tryParseStreamPath } from '@sluice/core';
import { type MediaRoute, mediaRouteOf, readRequestTarget } from '@sluice/delivery';

/** Where an HTTP request is answered. */
export type RequestPlace =
  /** In the main process, which alone has what is asked for. */
  | 'main'
  /** In any worker. */
  | 'any-worker'
  /** In the worker of the client's address: one that asks again and again is to find the same numbers there. */
  | 'worker-of-address';

const REQUEST_LINE = /^(GET|HEAD|OPTIONS) (\S+) HTTP\/1\.[01]\r?$/;

/** Where the request is answered that begins with a line, RFC 9112 §3. What can't be read is the main process's. */
export function placeOfRequest(line: string, live: LiveConfig): RequestPlace {
  const [, , target] = REQUEST_LINE.exec(line) ?? [];
  const pathname = readRequestTarget(target)?.pathname;
  return pathname === undefined ? 'main' : placeOfRoute(mediaRouteOf(pathname), live);
}

export function placeOfRoute(route: MediaRoute, live: LiveConfig): RequestPlace {
  switch (route.kind) {
    case 'flv':
      return 'any-worker';
    case 'hls-playlist':
    case 'hls-resource':
      return hasPast(route.path, live) ? 'main' : 'worker-of-address';
    case 'mpd':
    case 'dash-resource':
    case 'time':
      return 'worker-of-address';
    default:
      return 'main';
  }
}

/** Whether viewers can go back in a stream: its segments are on the disk of one process. */
function hasPast(text: string, live: LiveConfig): boolean {
  const path = tryParseStreamPath(text);
  return path !== undefined && settingsFor(live.current, path).hls.windowSeconds > 0;
}
