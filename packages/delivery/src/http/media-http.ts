import type { IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ForwardedAddress, type Logger, messageOf } from '@sluice/core';
import type { DashDelivery } from '../dash/dash-delivery.js';
import type { HttpFlv } from '../http-flv.js';
import type { WsFlv } from '../ws-flv.js';
import type { ConsolePage } from './console-page.js';
import { handedOn, type PlaceFor } from './hand-on.js';
import { type HttpDoor, plainDoor, type TlsFiles, tlsDoor } from './http-door.js';
import type { MediaRequest, NodeRequest } from './media-request.js';
import type { MediaResponse, NodeResponse } from './media-response.js';
import { OriginLock, type OriginRules } from './origin-lock.js';
import type { Pages } from './pages.js';
import type { RecordingDelivery } from './recording-delivery.js';
import { recordingRouteOf } from './recording-route.js';
import { readRequestTarget } from './request-target.js';
import { sendError, sendRedirect } from './responses.js';
import type { SdpExchange } from './sdp/sdp-exchange.js';
import { isSdpPath } from './sdp/sdp-route.js';
import type { SnapshotPage } from './snapshot-page.js';
import type { StatusPages } from './status.js';

const HLS_SEGMENT = /^\/(.+)\/hls\/([^/]+)$/;
const DASH_SEGMENT = /^\/(.+)\/dash\/([^/]+)$/;
const STATUS_STREAM = /^\/status\/streams\/(.+)$/;

/** What serves HLS. */
interface HlsRoutes {
  servePlaylist(request: MediaRequest, response: NodeResponse, path: string): Promise<void>;
  serveResource(request: MediaRequest, response: NodeResponse, path: string, name: string): Promise<void>;
}

/** What is served, whatever the listener. */
export interface MediaRoutes {
  readonly flv: HttpFlv;
  readonly webSocket: WsFlv;
  readonly hls: HlsRoutes;
  readonly dash: DashDelivery;
  /** Where WebRTC is spoken. */
  readonly sdp: SdpExchange | undefined;
  readonly snapshots: SnapshotPage;
  readonly recordings: RecordingDelivery;
  readonly status: StatusPages;
  readonly console: ConsolePage;
  /** The player and the start page, where they are served. */
  readonly pages: Pages | undefined;
}

export interface MediaHttpOptions extends MediaRoutes {
  readonly forwarded: ForwardedAddress;
  /** Who may ask at all. */
  readonly origin: () => OriginRules;
  readonly corsOrigin: string;
  readonly maxConnections: number;
  /** Where viewers and publishers are sent, while they are. */
  readonly placeFor?: PlaceFor | undefined;
  /** With a certificate, it speaks HTTP/2 and HTTP/1.1 over TLS. */
  readonly tls?: TlsFiles | undefined;
  readonly log: Logger;
}

/** The HTTP door for viewers: media, pages and status, on bare `node:http` and `node:http2`. */
export class MediaHttpServer {
  readonly #options: MediaHttpOptions;
  readonly #door: HttpDoor;
  readonly #lock: OriginLock;
  /** Sockets that WebSocket took over, which the HTTP server has forgotten. */
  readonly #upgraded = new Set<Socket>();

  constructor(options: MediaHttpOptions) {
    this.#options = options;
    this.#lock = new OriginLock(options.origin);
    this.#door = options.tls === undefined ? plainDoor() : tlsDoor(options.tls, options.log);
    const { server } = this.#door;
    server.maxConnections = options.maxConnections;
    server.on('request', (message: NodeRequest, response: NodeResponse) => this.#request(message, response));
    server.on('upgrade', (message: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.#upgrade(message, socket, head),
    );
    server.on('clientError', (error: Error, socket: Duplex) => {
      options.log.debug({ reason: 'http', detail: error.message }, 'HTTP connection ended');
      if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
      else socket.destroy();
    });
  }

  /** New connections get this certificate. Only for a server that was made with one. */
  setCertificate(tls: TlsFiles): void {
    this.#door.setCertificate(tls);
  }

  /** @param port 0 takes a free one */
  listen(port: number, host: string): Promise<AddressInfo> {
    const { server } = this.#door;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port, host }, () => {
        server.off('error', reject);
        resolve(server.address() as AddressInfo);
      });
    });
  }

  /** Stops listening and resolves when all connections have ended; the idle ones are ended here. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#door.server.close(() => resolve());
      this.#door.endIdle();
    });
  }

  /** Ends what is still open. */
  closeAll(): void {
    this.#door.endAll();
    for (const socket of this.#upgraded) socket.destroy();
  }

  #request(message: NodeRequest, response: NodeResponse): void {
    response.on('error', () => response.destroy());
    if (this.#isLocked(message)) {
      sendError(
        response,
        403,
        'origin-locked',
        'this server answers to those who stand in front of it, and to nobody else',
      );
      return;
    }
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

  async #route(request: MediaRequest, response: NodeResponse): Promise<void> {
    const { message, pathname } = request;
    const { flv, hls, dash, sdp, snapshots, recordings, status, corsOrigin, placeFor } = this.#options;
    response.setHeader('Access-Control-Allow-Origin', corsOrigin);
    const elsewhere = placeFor && handedOn(request, placeFor);
    if (elsewhere !== undefined) {
      sendRedirect(response, elsewhere);
      return;
    }
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
    const dashSegment = DASH_SEGMENT.exec(pathname);
    const statusOf = STATUS_STREAM.exec(pathname);
    const recording = recordingRouteOf(pathname);
    if (pathname === '/status/streams') status.list(request, response);
    else if (pathname === '/console' || pathname === '/console/') this.#options.console.serve(request, response);
    else if (statusOf !== null) await status.one(request, response, statusOf[1] ?? '');
    else if (pathname === '/' || pathname.startsWith('/assets/') || pathname.startsWith('/player/')) {
      this.#page(message, response, pathname);
    } else if (recording !== undefined) {
      await recordings.serve(request, response, recording);
    } else if (pathname.endsWith('.flv')) {
      await flv.serve(request, response, pathname.slice(1, -'.flv'.length));
    } else if (pathname.endsWith('.m3u8')) {
      await hls.servePlaylist(request, response, pathname.slice(1, -'.m3u8'.length));
    } else if (pathname.endsWith('.jpg')) {
      await snapshots.serve(request, response, pathname.slice(1, -'.jpg'.length));
    } else if (segment !== null) {
      await hls.serveResource(request, response, segment[1] ?? '', segment[2] ?? '');
    } else if (pathname.endsWith('.mpd')) {
      await dash.serveMpd(request, response, pathname.slice(1, -'.mpd'.length));
    } else if (dashSegment !== null) {
      await dash.serveResource(request, response, dashSegment[1] ?? '', dashSegment[2] ?? '');
    } else if (pathname === '/time') dash.serveTime(request, response);
    else this.#page(message, response, pathname);
  }

  #page(message: NodeRequest, response: NodeResponse, pathname: string): void {
    const notFound = () => sendError(response, 404, 'not-found', `there is nothing at ${pathname.slice(0, 200)}`);
    const { pages } = this.#options;
    if (pages === undefined) notFound();
    else pages.serve(message, response, pathname, notFound);
  }

  #upgrade(message: IncomingMessage, stream: Duplex, head: Buffer): void {
    const socket = stream as Socket;
    socket.on('error', () => socket.destroy());
    if (this.#isLocked(message)) {
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
      return;
    }
    const request = this.#read(message);
    if (request === undefined || !request.pathname.endsWith('.flv')) {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
      return;
    }
    this.#upgraded.add(socket);
    socket.once('close', () => this.#upgraded.delete(socket));
    const path = request.pathname.slice(1, -'.flv'.length);
    this.#options.webSocket.upgrade({ ...request, message }, socket, head, path).catch((error: unknown) => {
      this.#reportFault(request, error);
      socket.destroy();
    });
  }

  #isLocked({ socket, headers }: NodeRequest): boolean {
    const ip = socket.remoteAddress ?? 'unknown';
    const fault = this.#lock.faultOf(ip, headers);
    if (fault === undefined) return false;
    this.#options.log.warn({ ip, reason: 'origin-locked', detail: fault }, 'request refused');
    return true;
  }

  #read(message: NodeRequest): MediaRequest | undefined {
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

function sendPreflight(response: MediaResponse): void {
  response.writeHead(204, {
    'Access-Control-Allow-Methods': 'GET, HEAD, OPTIONS',
    'Access-Control-Allow-Headers': 'Authorization, Range, If-Range, If-Match, If-None-Match',
    'Access-Control-Max-Age': '86400',
  });
  response.end();
}
