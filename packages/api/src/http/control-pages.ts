import type { RequestHandler } from 'express';
import sirv from 'sirv';

/** Where this server's media is, for pages that show it; undefined for a listener that isn't there. */
export interface MediaOrigins {
  readonly http: number | undefined;
  readonly https: number | undefined;
}

/** Pages of the control plane, by URL. */
const PAGES: Readonly<Record<string, string>> = {
  '/': '/api-docs.html',
  '/api/v2/docs': '/api-docs.html',
};

const CONSOLE_PAGE = /^\/console(\/|$)/;
/** The name changes with what is in the file. */
const HASHED_NAME = /^\/assets\/.+-[\w-]{8}\.\w+$/;
const HOST_NAME = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])$/;

/**
 * Serves the pages of the control plane, and the files that they load.
 *
 * @param directory of the built pages; read once, now
 * @param media asked at each page, because ports are known late
 */
export function makeControlPages(directory: string, media: () => MediaOrigins): RequestHandler {
  const serve = sirv(directory, { etag: true });
  return (request, response, next) => {
    const isConsole = CONSOLE_PAGE.test(request.path);
    const page = isConsole ? '/console.html' : PAGES[request.path];
    const isAsset = request.path.startsWith('/assets/') || request.path === '/sluice.svg';
    if (request.method !== 'GET' || (page === undefined && !isAsset)) {
      next();
      return;
    }
    if (page !== undefined) request.url = page;
    if (isConsole) response.setHeader('Content-Security-Policy', consolePolicy(request.hostname, media()));
    if (HASHED_NAME.test(request.path)) response.setHeader('Cache-Control', 'public, max-age=31536000, immutable');
    serve(request, response, next);
  };
}

/**
 * What the console may load: its own scripts and styles, none of them inline, the API, and the media of this server
 * under the name that the console was reached by.
 */
function consolePolicy(hostname: string, { http, https }: MediaOrigins): string {
  const host = HOST_NAME.test(hostname) ? hostname : undefined;
  const media = [
    ...(host === undefined || http === undefined ? [] : [`http://${host}:${http}`, `ws://${host}:${http}`]),
    ...(host === undefined || https === undefined ? [] : [`https://${host}:${https}`, `wss://${host}:${https}`]),
  ].join(' ');
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `img-src 'self' data: blob: ${media}`,
    `connect-src 'self' ${media}`,
    `media-src 'self' blob: ${media}`,
    "worker-src 'self' blob:",
    "font-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
