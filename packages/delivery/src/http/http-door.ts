import { createServer, type Server, type ServerOptions } from 'node:http';
import { createSecureServer, type Http2SecureServer, type Settings } from 'node:http2';
import type { Socket } from 'node:net';
import type { Logger } from '@sluice/core';
import { Http2Sessions } from './http2-sessions.js';

/** A viewer's socket buffers this much in the process; beyond it the kernel is full and the viewer waits. */
const SOCKET_BUFFER = 128 * 1024;
/** Request lines and headers of players and browsers stay far below. */
const MAX_HEADER_BYTES = 16 * 1024;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 20_000;
const KEEP_ALIVE_TIMEOUT_MS = 30_000;
/** A line may be dead without anybody having said so. */
const PROBE_AFTER_MS = 30_000;

const HTTP1_LIMITS = {
  maxHeaderSize: MAX_HEADER_BYTES,
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
  connectionsCheckingInterval: HEADERS_TIMEOUT_MS,
};

const SOCKET_OPTIONS = {
  highWaterMark: SOCKET_BUFFER,
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: PROBE_AFTER_MS,
} satisfies ServerOptions;

/** A low-latency player has a handful of requests open; no browser gets by with less than 100. RFC 9113 §6.5.2. */
const HTTP2_SETTINGS: Settings = { maxConcurrentStreams: 128, maxHeaderListSize: MAX_HEADER_BYTES };

/**
 * MiB per connection. Node counts what is being sent, too, and refuses requests past this: a dozen segments under way
 * are more than the 10 MiB that it allows by itself. They are the same bytes for all viewers; what is a connection's
 * own is bounded by the settings above.
 */
const HTTP2_SESSION_MEMORY = 1024;

/** PEM. */
export interface TlsFiles {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

/** A listener that speaks HTTP, with the limits that a viewer's side needs. */
export interface HttpDoor {
  /** Emits `request`, `upgrade` and `clientError`. */
  readonly server: Server | Http2SecureServer;
  /** Serves a connection that somebody else accepted. */
  accept(socket: Socket): void;
  /** New connections get this certificate, where there is TLS. */
  setCertificate(tls: TlsFiles): void;
  /** Ends idle connections, and the others after what is under way. */
  endIdle(): void;
  /** Ends all connections that HTTP knows of. */
  endAll(): void;
}

/**
 * HTTP/1.1. Browsers take HTTP/2 only over TLS.
 *
 * @param maxRequests of one connection, which is told to the client with the last
 */
export function plainDoor(maxRequests?: number): HttpDoor {
  const server = createServer({ ...HTTP1_LIMITS, ...SOCKET_OPTIONS });
  if (maxRequests !== undefined) server.maxRequestsPerSocket = maxRequests;
  return {
    server,
    accept: handOverTo(server),
    setCertificate: () => undefined,
    endIdle: () => server.closeIdleConnections(),
    endAll: () => server.closeAllConnections(),
  };
}

/** HTTP/2 over TLS, and HTTP/1.1 for those who don't ask for it: ffmpeg, WebSocket. */
export function tlsDoor(tls: TlsFiles, log: Logger): HttpDoor {
  const server = createSecureServer({
    ...SOCKET_OPTIONS,
    ...HTTP1_LIMITS,
    ...tls,
    allowHTTP1: true,
    handshakeTimeout: HEADERS_TIMEOUT_MS,
    settings: HTTP2_SETTINGS,
    maxSessionMemory: HTTP2_SESSION_MEMORY,
  });
  // HTTP/1.1 takes these from the server, where `createSecureServer` doesn't put them.
  Object.assign(server, HTTP1_LIMITS);
  const sessions = new Http2Sessions({
    now: () => performance.now(),
    onAbuse: ({ socket }) => log.warn({ ip: socket.remoteAddress }, 'HTTP/2 connection cut: a flood of empty frames'),
  });
  const sockets = new Set<Socket>();
  const remember = (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  };
  server.on('session', (session) => sessions.add(session));
  // A connection is there twice: before and after its handshake.
  server.on('connection', remember);
  server.on('secureConnection', remember);
  server.once('close', () => sessions.destroy());
  return {
    server,
    accept: handOverTo(server),
    setCertificate: (next) => server.setSecureContext(next),
    endIdle: () => sessions.close(),
    endAll: () => {
      sessions.destroy();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Puts connections into a server that may not listen itself. */
function handOverTo(server: Server | Http2SecureServer): (socket: Socket) => void {
  let isPrepared = server.listening;
  return (socket) => {
    // Node begins to watch over slow requests when a server listens.
    if (!isPrepared && !server.listening) server.emit('listening');
    isPrepared = true;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, PROBE_AFTER_MS);
    server.emit('connection', socket);
  };
}
