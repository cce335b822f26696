/** Where a stream is, as the player's `src` names it. */
export interface StreamSource {
  /** Origin of the server: `https://live.example.org:8088`. */
  readonly server: string;
  /** `live/show` */
  readonly path: string;
  /** For the server, without `?`: it may hold a credential. */
  readonly query: string;
}

const NAME = '[A-Za-z0-9_-][A-Za-z0-9._-]*';
const PATH = new RegExp(`^/(?:player/|whep/)?(${NAME}(?:/${NAME})+)/?$`);
const EXTENSION = /\.(?:flv|m3u8)$/;
/** WebSocket URLs are of the same server. */
const HTTP_OF: Readonly<Record<string, string>> = { 'ws:': 'http:', 'wss:': 'https:' };

/**
 * Reads `http://host:8080/live/show?token=…`, also relative to a page, and the URLs of the stream by HLS, HTTP-FLV, WHEP
 * and of its player page.
 *
 * @param base the page's URL
 * @returns undefined where it names no stream
 */
export function streamSourceOf(src: string, base: string): StreamSource | undefined {
  const url = URL.canParse(src, base) ? new URL(src, base) : undefined;
  if (url === undefined) return undefined;
  const protocol = HTTP_OF[url.protocol] ?? url.protocol;
  const [, path] = PATH.exec(url.pathname) ?? [];
  if (path === undefined || !/^https?:$/.test(protocol)) return undefined;
  return { server: `${protocol}//${url.host}`, path: path.replace(EXTENSION, ''), query: url.search.slice(1) };
}

/** `/live/show?token=a#b` → `/live/show` */
export const withoutQuery = (src: string): string => src.replace(/[?#].*$/s, '');

/** A query with a token in it. */
export function withToken(query: string, token: string | undefined): string {
  if (token === undefined) return query;
  const parameters = new URLSearchParams(query);
  parameters.set('token', token);
  return parameters.toString();
}
