import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import sirv from 'sirv';
import type { NodeRequest } from './media-request.js';
import type { NodeResponse } from './media-response.js';

/** What a page may load: its own scripts and styles, media from here, and the workers that hls.js makes. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "connect-src 'self' ws: wss:",
  "img-src 'self' data:",
  "media-src 'self' blob:",
  "worker-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "frame-ancestors 'self'",
].join('; ');

/** Pages whose address names a stream, as in `/player/live/show`. */
const STREAM_PAGE = /^\/(player|publish)\/[^/]+\/.+$/;

/** That of a stream's recordings; a stream's path has two names at least. */
const RECORDINGS_PAGE = /^\/player\/[^/]+\/.+\/recordings\/?$/;

/** Serves the built pages: files under `/assets/`, the start page, and the pages of each stream. */
export class Pages {
  readonly #serve: ReturnType<typeof sirv>;

  /** @param directory of the built pages; read once, now */
  constructor(directory: string) {
    this.#serve = sirv(join(directory), {
      etag: true,
      setHeaders: (response, pathname) => {
        response.setHeader('X-Content-Type-Options', 'nosniff');
        if (pathname.startsWith('/assets/')) {
          response.setHeader('Cache-Control', 'public, max-age=31536000, immutable');
          return;
        }
        response.setHeader('Cache-Control', 'no-cache');
        response.setHeader('Content-Security-Policy', CONTENT_SECURITY_POLICY);
        response.setHeader('Referrer-Policy', 'same-origin');
      },
    });
  }

  /** @param pathname of the URL that was asked for */
  serve(request: NodeRequest, response: NodeResponse, pathname: string, otherwise: () => void): void {
    const [, page] = STREAM_PAGE.exec(pathname) ?? [];
    if (RECORDINGS_PAGE.test(pathname)) request.url = '/recordings.html';
    else if (page !== undefined) request.url = `/${page}.html`;
    // sirv speaks of HTTP/1.1 alone, and does nothing that HTTP/2's objects don't do as well.
    this.#serve(request as IncomingMessage, response as ServerResponse, otherwise);
  }
}
