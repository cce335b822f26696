import type { MediaRequest } from './media-request.js';
import { recordingRouteOf } from './recording-route.js';
import { isSdpPath } from './sdp/sdp-route.js';

/**
 * Where viewers are sent while this server is drained.
 *
 * @param schemes that will do, the best one first
 * @returns the base URL of another server; undefined while this one serves
 */
export type PlaceFor = (ip: string, schemes: readonly ('http' | 'https')[]) => string | undefined;

/** What a viewer asks for again and again, or begins with. Segments that a player knows of it still gets here. */
const BEGINS = /\.(?:m3u8|mpd|flv|jpg)$/;
/** What a question to another server's playlist must not hold: positions in this one's. RFC 8216bis §6.2.5. */
const OWN_POSITIONS = ['_HLS_msn', '_HLS_part', '_HLS_skip'];

/** The URL of the same at another server, for a request that is handed on. */
export function handedOn({ message, pathname, query, ip }: MediaRequest, placeFor: PlaceFor): string | undefined {
  const begins = message.method === 'POST' ? isSdpPath(pathname) : BEGINS.test(pathname) && isGet(message.method);
  if (!begins || recordingRouteOf(pathname) !== undefined) return undefined;
  const encrypted = 'encrypted' in message.socket && message.socket.encrypted === true;
  const base = placeFor(ip, encrypted ? ['https'] : ['http', 'https']);
  if (base === undefined) return undefined;
  const rest = new URLSearchParams(query);
  for (const name of OWN_POSITIONS) rest.delete(name);
  return `${base}${pathname}${rest.size === 0 ? '' : `?${rest}`}`;
}

const isGet = (method: string | undefined): boolean => method === 'GET' || method === 'HEAD';
