import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import sirv from 'sirv';
import type { NodeRequest } from './media-request.js';
import type { NodeResponse } from './media-response.js';

/** What a page may load: its own scripts and styles, media from here, and the workers that hls.js makes. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self' ws: wss:",
  "img-src 'self' data:",
  "media-src 'self' blob:",
  "worker-src 'self' blob:",
  "font-src 'self'",
  "manifest-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
];

/** The player as a module for other sites, whose address stays the same from version to version. */
const ELEMENT = '/assets/sluice-player.js';

/** Pages whose address names a stream, as in `/player/live/show`. */
const STREAM_PAGE = /^\/(player|publish)\/[^/]+\/.+$/;

/** That of a stream's recordings; a stream's path has two names at least. */
const RECORDINGS_PAGE = /^\/player\/[^/]+\/.+\/recordings\/?$/;

export interface PagesOptions {
  /** Of the built pages; read once, at the beginning. */
  readonly directory: string;
  /** Other sites that may have the player page in a frame. */
  readonly embedOrigins: () => readonly string[];
}

/** Serves the built pages: files under `/assets/`, the start page, and the pages of each stream. */
export class Pages {
  readonly #serve: ReturnType<typeof sirv>;
  readonly #embedOrigins: () => readonly string[];

  constructor({ directory, embedOrigins }: PagesOptions) {
    this.#embedOrigins = embedOrigins;
    this.#serve = sirv(join(directory), {
      etag: true,
      setHeaders: (response, pathname) => {
        response.setHeader('X-Content-Type-Options', 'nosniff');
        if (pathname.startsWith('/assets/')) {
          const isLasting = pathname !== ELEMENT;
          response.setHeader('Cache-Control', isLasting ? 'public, max-age=31536000, immutable' : 'no-cache');
          // Sites that are isolated from others take only what says that it may be loaded from anywhere.
          response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
          return;
        }
        response.setHeader('Cache-Control', 'no-cache');
        response.setHeader('Content-Security-Policy', this.#policyFor(pathname));
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

  #policyFor(file: string): string {
    const others = file === '/player.html' ? this.#embedOrigins() : [];
    return [...CONTENT_SECURITY_POLICY, ["frame-ancestors 'self'", ...others].join(' ')].join('; ');
  }
}
