import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ForwardedAddress, type Logger, messageOf } from '@sluice/core';
import type { HlsDelivery } from '../hls/hls-delivery.js';
import type { HttpFlv } from '../http-flv.js';
import type { WsFlv } from '../ws-flv.js';
import type { MediaRequest } from './media-request.js';
import type { Pages } from './pages.js';
import { readRequestTarget } from './request-target.js';
import { sendError } from './responses.js';
import type { SdpExchange } from './sdp/sdp-exchange.js';
import { isSdpPath } from './sdp/sdp-route.js';
import type { StatusPages } from './status.js';

/** A viewer's socket buffers this much in the process; beyond it the kernel is full and the viewer waits. */
const SOCKET_BUFFER = 128 * 1024;
/** Request lines and headers of players and browsers stay far below. */
const MAX_HEADER_BYTES = 16 * 1024;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 20_000;
const KEEP_ALIVE_TIMEOUT_MS = 30_000;

const SERVER_OPTIONS: ServerOptions = {
  highWaterMark: SOCKET_BUFFER,
  maxHeaderSize: MAX_HEADER_BYTES,
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
  connectionsCheckingInterval: HEADERS_TIMEOUT_MS,
};

const HLS_SEGMENT = /^\/(.+)\/hls\/([^/]+)$/;
const STATUS_STREAM = /^\/status\/streams\/(.+)$/;

/** PEM. */
export interface TlsFiles {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

/** What is served, whatever the listener. */
export interface MediaRoutes {
  readonly flv: HttpFlv;
  readonly webSocket: WsFlv;
  readonly hls: HlsDelivery;
  /** Where WebRTC is spoken. */
  readonly sdp: SdpExchange | undefined;
  readonly status: StatusPages;
  /** The player and the start page, where they are served. */
  readonly pages: Pages | undefined;
}

export interface MediaHttpOptions extends MediaRoutes {
  readonly forwarded: ForwardedAddress;
  readonly corsOrigin: string;
  readonly maxConnections: number;
  /** With a certificate, it speaks HTTPS. */
  readonly tls?: TlsFiles | undefined;
  readonly log: Logger;
}

/** The HTTP door for viewers: media, pages and status, on bare `node:http`. */
export class MediaHttpServer {
  readonly #options: MediaHttpOptions;
  readonly #server: Server | TlsServer;
  /** Sockets that WebSocket took over, which the HTTP server has forgotten. */
  readonly #upgraded = new Set<Socket>();

  constructor(options: MediaHttpOptions) {
    this.#options = options;
    const { tls } = options;
    this.#server = tls === undefined ? createServer(SERVER_OPTIONS) : createTlsServer({ ...SERVER_OPTIONS, ...tls });
    this.#server.maxConnections = options.maxConnections;
    this.#server.on('request', (message, response) => this.#request(message, response));
    this.#server.on('upgrade', (message, socket, head) => this.#upgrade(message, socket, head));
    this.#server.on('clientError', (error, socket) => {
      options.log.debug({ reason: 'http', detail: error.message }, 'HTTP connection ended');
      if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
      else socket.destroy();
    });
  }

  /** New connections get this certificate. Only for a server that was made with one. */
  setCertificate(tls: TlsFiles): void {
    if ('setSecureContext' in this.#server) this.#server.setSecureContext(tls);
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

  #request(message: IncomingMessage, response: ServerResponse): void {
    response.on('error', () => response.destroy());
    const request = this.#read(message);
    if (request === undefined) {
      sendError(response, 400, 'bad-url', 'the URL of the request cannot be read');
      return;
    }
    this.#route(request, response).catch((error: unknown) => {
      this.#reportFault(request, error);
      if (response.headersSent) response.destroy();
      else sendError(response, 500, 'internal', 'the server could not answer');
    });
  }

  async #route(request: MediaRequest, response: ServerResponse): Promise<void> {
    const { message, pathname } = request;
    const { flv, hls, sdp, status, corsOrigin } = this.#options;
    response.setHeader('Access-Control-Allow-Origin', corsOrigin);
    if (sdp !== undefined && isSdpPath(pathname)) {
      await sdp.serve(request, response);
      return;
    }
    if (message.method === 'OPTIONS') {
      sendPreflight(response);
      return;
    }
    if (message.method !== 'GET' && message.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD, OPTIONS');
      sendError(response, 405, 'method', `${message.method} is not possible here`);
      return;
    }
    const segment = HLS_SEGMENT.exec(pathname);
    const statusOf = STATUS_STREAM.exec(pathname);
    if (pathname === '/status/streams') status.list(request, response);
    else if (statusOf !== null) await status.one(request, response, statusOf[1] ?? '');
    else if (pathname === '/' || pathname.startsWith('/assets/') || pathname.startsWith('/player/')) {
      this.#page(message, response, pathname);
    } else if (pathname.endsWith('.flv')) {
      await flv.serve(request, response, pathname.slice(1, -'.flv'.length));
    } else if (pathname.endsWith('.m3u8')) {
      await hls.servePlaylist(request, response, pathname.slice(1, -'.m3u8'.length));
    } else if (segment !== null) {
      await hls.serveResource(request, response, segment[1] ?? '', segment[2] ?? '');
    } else this.#page(message, response, pathname);
  }

  #page(message: IncomingMessage, response: ServerResponse, pathname: string): void {
    const notFound = () => sendError(response, 404, 'not-found', `there is nothing at ${pathname.slice(0, 200)}`);
    const { pages } = this.#options;
    if (pages === undefined) notFound();
    else pages.serve(message, response, pathname, notFound);
  }

  #upgrade(message: IncomingMessage, stream: Duplex, head: Buffer): void {
    const socket = stream as Socket;
    socket.on('error', () => socket.destroy());
    const request = this.#read(message);
    if (request === undefined || !request.pathname.endsWith('.flv')) {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
      return;
    }
    this.#upgraded.add(socket);
    socket.once('close', () => this.#upgraded.delete(socket));
    const path = request.pathname.slice(1, -'.flv'.length);
    this.#options.webSocket.upgrade(request, socket, head, path).catch((error: unknown) => {
      this.#reportFault(request, error);
      socket.destroy();
    });
  }

  #read(message: IncomingMessage): MediaRequest | undefined {
    const target = readRequestTarget(message.url);
    if (target === undefined) return undefined;
    const header = message.headers['x-forwarded-for'];
    const forwardedFor = Array.isArray(header) ? header.join(',') : header;
    const ip = this.#options.forwarded.of(message.socket.remoteAddress ?? 'unknown', forwardedFor);
    return { message, ...target, ip };
  }

  #reportFault({ ip, pathname }: MediaRequest, error: unknown): void {
    this.#options.log.error({ ip, path: pathname, error: messageOf(error) }, 'HTTP request failed');
  }
}

function sendPreflight(response: ServerResponse): void {
  response.writeHead(204, {
    'Access-Control-Allow-Methods': 'GET, HEAD, OPTIONS',
    'Access-Control-Allow-Headers': 'Authorization, Range',
    'Access-Control-Max-Age': '86400',
  });
  response.end();
}
