import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type Logger, messageOf } from '@sluice/core';
import type { HlsDelivery } from '../hls/hls-delivery.js';
import type { HttpFlv } from '../http-flv.js';
import type { WsFlv } from '../ws-flv.js';
import type { Pages } from './pages.js';
import { addressOf, sendError } from './responses.js';
import type { StatusPages } from './status.js';

/** A viewer's socket buffers this much in the process; beyond it the kernel is full and the viewer waits. */
const SOCKET_BUFFER = 128 * 1024;
/** Request lines and headers of players and browsers stay far below. */
const MAX_HEADER_BYTES = 16 * 1024;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 20_000;
const KEEP_ALIVE_TIMEOUT_MS = 30_000;

const HLS_SEGMENT = /^\/(.+)\/hls\/([^/]+)$/;
const PLAYER_PAGE = /^\/player\/[^/]+\/.+$/;
const STATUS_STREAM = /^\/status\/streams\/(.+)$/;

export interface MediaHttpOptions {
  readonly flv: HttpFlv;
  readonly webSocket: WsFlv;
  readonly hls: HlsDelivery;
  readonly status: StatusPages;
  /** The player and the start page, where they are served. */
  readonly pages: Pages | undefined;
  readonly corsOrigin: string;
  readonly maxConnections: number;
  readonly log: Logger;
}

/** The HTTP door for viewers: media, pages and status, on bare `node:http`. */
export class MediaHttpServer {
  readonly #options: MediaHttpOptions;
  readonly #server: Server;
  /** Sockets that WebSocket took over, which the HTTP server has forgotten. */
  readonly #upgraded = new Set<Socket>();

  constructor(options: MediaHttpOptions) {
    this.#options = options;
    this.#server = createServer({
      highWaterMark: SOCKET_BUFFER,
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      connectionsCheckingInterval: HEADERS_TIMEOUT_MS,
    });
    this.#server.maxConnections = options.maxConnections;
    this.#server.on('request', (request, response) => this.#request(request, response));
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket as Socket, head));
    this.#server.on('clientError', (error, socket) => {
      options.log.debug({ reason: 'http', detail: error.message }, 'HTTP connection ended');
      if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
      else socket.destroy();
    });
  }

  /** @param port 0 takes a free one */
  listen(port: number, host: string): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ port, host }, () => {
        this.#server.off('error', reject);
        resolve(this.#server.address() as AddressInfo);
      });
    });
  }

  /** Stops listening and resolves when all connections have ended; the idle ones are ended here. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeIdleConnections();
    });
  }

  /** Ends what is still open. */
  closeAll(): void {
    this.#server.closeAllConnections();
    for (const socket of this.#upgraded) socket.destroy();
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    response.on('error', () => response.destroy());
    const url = parseUrl(request);
    if (url === undefined) {
      sendError(response, 400, 'bad-url', 'the URL of the request cannot be read');
      return;
    }
    this.#route(request, response, url).catch((error: unknown) => {
      const fields = { ip: addressOf(request), path: url.pathname, error: messageOf(error) };
      this.#options.log.error(fields, 'HTTP request failed');
      if (response.headersSent) response.destroy();
      else sendError(response, 500, 'internal', 'the server could not answer');
    });
  }

  async #route(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const { pathname, searchParams } = url;
    const { flv, hls, status, corsOrigin } = this.#options;
    response.setHeader('Access-Control-Allow-Origin', corsOrigin);
    if (request.method === 'OPTIONS') {
      sendPreflight(response);
      return;
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD, OPTIONS');
      sendError(response, 405, 'method', `${request.method} is not possible here`);
      return;
    }
    const segment = HLS_SEGMENT.exec(pathname);
    const statusOf = STATUS_STREAM.exec(pathname);
    if (pathname === '/status/streams') status.list(response);
    else if (statusOf !== null) status.one(response, statusOf[1] ?? '');
    else if (pathname === '/' || pathname.startsWith('/assets/') || pathname.startsWith('/player/')) {
      this.#page(request, response, pathname);
    } else if (pathname.endsWith('.flv')) {
      await flv.serve(request, response, pathname.slice(1, -'.flv'.length), searchParams);
    } else if (pathname.endsWith('.m3u8')) {
      await hls.servePlaylist(request, response, pathname.slice(1, -'.m3u8'.length), searchParams);
    } else if (segment !== null) {
      hls.serveSegment(request, response, segment[1] ?? '', segment[2] ?? '');
    } else this.#page(request, response, pathname);
  }

  #page(request: IncomingMessage, response: ServerResponse, pathname: string): void {
    const notFound = () => sendError(response, 404, 'not-found', `there is nothing at ${pathname.slice(0, 200)}`);
    const { pages } = this.#options;
    if (pages === undefined) notFound();
    else pages.serve(request, response, PLAYER_PAGE.test(pathname) ? '/player.html' : undefined, notFound);
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const url = parseUrl(request);
    if (url === undefined || !url.pathname.endsWith('.flv')) {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
      return;
    }
    this.#upgraded.add(socket);
    socket.once('close', () => this.#upgraded.delete(socket));
    const path = url.pathname.slice(1, -'.flv'.length);
    this.#options.webSocket.upgrade(request, socket, head, path, url.searchParams);
  }
}

function sendPreflight(response: ServerResponse): void {
  response.writeHead(204, {
    'Access-Control-Allow-Methods': 'GET, HEAD, OPTIONS',
    'Access-Control-Allow-Headers': 'Range',
    'Access-Control-Max-Age': '86400',
  });
  response.end();
}

function parseUrl(request: IncomingMessage): URL | undefined {
  const { url } = request;
  if (url === undefined || !url.startsWith('/')) return undefined;
  return URL.canParse(url, 'http://host') ? new URL(url, 'http://host') : undefined;
}
