import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import sirv from 'sirv';

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

/** Serves the built pages: files under `/assets/`, the start page and the player. */
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

  /** @param file the page's name, or the URL's own path if undefined */
  serve(request: IncomingMessage, response: ServerResponse, file: string | undefined, otherwise: () => void): void {
    if (file !== undefined) request.url = file;
    this.#serve(request, response, otherwise);
  }
}
