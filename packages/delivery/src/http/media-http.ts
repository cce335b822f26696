import type { IncomingMessage } from 'node:http';
import type { AddressInfo, ListenOptions, Socket } from 'node:net';
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
import { type MediaRoute, mediaRouteOf } from './media-route.js';
import { OriginLock, type OriginRules } from './origin-lock.js';
import type { Pages } from './pages.js';
import type { RecordingDelivery } from './recording-delivery.js';
import { readRequestTarget } from './request-target.js';
import { sendError, sendRedirect } from './responses.js';
import type { SdpExchange } from './sdp/sdp-exchange.js';
import type { SnapshotPage } from './snapshot-page.js';
import type { StatusPages } from './status.js';

/** What serves HLS. */
interface HlsRoutes {
  servePlaylist(request: MediaRequest, response: NodeResponse, path: string): Promise<void>;
  serveResource(request: MediaRequest, response: NodeResponse, path: string, name: string): Promise<void>;
}

/** What is told of all streams, and of what is kept. */
export interface OwnRoutes {
  readonly snapshots: SnapshotPage;
  readonly recordings: RecordingDelivery;
  readonly status: StatusPages;
  readonly console: ConsolePage;
}

/** Answers for another process. */
export interface Elsewhere {
  has(route: MediaRoute, request: MediaRequest): boolean;
  serve(request: MediaRequest, response: NodeResponse): Promise<void>;
}

/** What is served, whatever the listener. */
export interface MediaRoutes {
  readonly flv: HttpFlv;
  readonly webSocket: WsFlv;
  readonly hls: HlsRoutes;
  readonly dash: DashDelivery;
  /** Where WebRTC is spoken. */
  readonly sdp: SdpExchange | undefined;
  /** What only one process of a server can answer; undefined in its others, where `elsewhere` asks that one. */
  readonly own: OwnRoutes | undefined;
  /** The player and the start page, where they are served. */
  readonly pages: Pages | undefined;
}

export interface MediaHttpOptions extends MediaRoutes {
  readonly forwarded: Pick<ForwardedAddress, 'of'>;
  /** Who may ask at all. */
  readonly origin: () => OriginRules;
  readonly elsewhere?: Elsewhere | undefined;
  readonly corsOrigin: string;
  readonly maxConnections: number;
  /** Of one connection; as many as come where it is left out. */
  readonly maxRequests?: number | undefined;
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
  /** Those that it was handed, for which its listener doesn't wait. */
  readonly #handed = new Set<Socket>();

  constructor(options: MediaHttpOptions) {
    this.#options = options;
    this.#lock = new OriginLock(options.origin);
    this.#door = options.tls === undefined ? plainDoor(options.maxRequests) : tlsDoor(options.tls, options.log);
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
  async listen(port: number, host: string): Promise<AddressInfo> {
    await this.#listen({ port, host });
    return this.#door.server.address() as AddressInfo;
  }

  /** Listens on a socket of this machine's own. */
  listenLocally(path: string): Promise<void> {
    return this.#listen({ path });
  }

  /** Takes a connection that somebody else accepted: another process, or who looked at it first. */
  accept(socket: Socket): void {
    this.#handed.add(socket);
    socket.once('close', () => this.#handed.delete(socket));
    this.#door.accept(socket);
  }

  /** Stops listening and resolves when all connections have ended; the idle ones are ended here. */
  async close(): Promise<void> {
    const handed = [...this.#handed].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    const closed = new Promise((resolve) => this.#door.server.close(resolve));
    this.#door.endIdle();
    await Promise.all([closed, ...handed]);
  }

  /** Ends what is still open. */
  closeAll(): void {
    this.#door.endAll();
    for (const socket of this.#upgraded) socket.destroy();
    for (const socket of this.#handed) socket.destroy();
  }

  #listen(at: ListenOptions): Promise<void> {
    const { server } = this.#door;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(at, () => {
        server.off('error', reject);
        resolve();
      });
    });
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
    const { elsewhere, sdp, corsOrigin, placeFor } = this.#options;
    const route = mediaRouteOf(pathname);
    if (elsewhere?.has(route, request)) {
      await elsewhere.serve(request, response);
      return;
    }
    response.setHeader('Access-Control-Allow-Origin', corsOrigin);
    const place = placeFor && handedOn(request, placeFor);
    if (place !== undefined) {
      sendRedirect(response, place);
      return;
    }
    if (route.kind === 'sdp' && sdp !== undefined) {
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
    await this.#serve(route, request, response);
  }

  async #serve(route: MediaRoute, request: MediaRequest, response: NodeResponse): Promise<void> {
    const { flv, hls, dash, own } = this.#options;
    if (route.kind === 'flv') await flv.serve(request, response, route.path);
    else if (route.kind === 'hls-playlist') await hls.servePlaylist(request, response, route.path);
    else if (route.kind === 'hls-resource') await hls.serveResource(request, response, route.path, route.name);
    else if (route.kind === 'mpd') await dash.serveMpd(request, response, route.path);
    else if (route.kind === 'dash-resource') await dash.serveResource(request, response, route.path, route.name);
    else if (route.kind === 'time') dash.serveTime(request, response);
    else if (route.kind === 'snapshot' && own) await own.snapshots.serve(request, response, route.path);
    else if (route.kind === 'recording' && own) await own.recordings.serve(request, response, route.recording);
    else if (route.kind === 'console' && own) own.console.serve(request, response);
    else if (route.kind === 'status-list' && own) own.status.list(request, response);
    else if (route.kind === 'status' && own) await own.status.one(request, response, route.path);
    else this.#page(request.message, response, request.pathname);
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
