import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import {
  createServer as createTlsServer,
  type SecureContextOptions,
  type TlsOptions,
  Server as TlsServer,
} from 'node:tls';
import { type HandOver, RtmpConnection } from './connection.js';
import type { RtmpHandlers, RtmpLog } from './handlers.js';
import { DEFAULT_RTMP_LIMITS, LINGER_MS, type RtmpLimits } from './limits.js';

/** A viewer's socket buffers this much in the process; beyond it the kernel is full and the viewer waits. */
const SOCKET_BUFFER = 128 * 1024;
const DEFAULT_CHUNK_SIZE = 65_536;

/**
 * Gives a connection that asks to play to another process, with all that its client has sent.
 *
 * @param gone to be called when it has ended there
 * @returns whether it was taken
 */
export type RtmpHandOver = (socket: Socket, received: Buffer, gone: () => void) => boolean;

/** Listens for RTMP, or for RTMPS when it is given TLS options, and serves publishers and players. */
export class RtmpServer {
  readonly #server: Server;
  /** All that was accepted, TLS handshakes under way included. */
  readonly #sockets = new Set<Socket>();
  readonly #connections = new Map<RtmpConnection, Socket>();
  readonly #perIp = new Map<string, number>();
  readonly #handlers: RtmpHandlers;
  readonly #limits: RtmpLimits;
  readonly #chunkSize: number;
  readonly #log: RtmpLog;
  readonly #encrypted: boolean;
  readonly #handOver: RtmpHandOver | undefined;
  /** Takes those out of account that another process has, when they are gone. */
  readonly #release = new Map<Socket, () => void>();

  constructor(options: {
    handlers: RtmpHandlers;
    log: RtmpLog;
    limits?: Partial<RtmpLimits>;
    /** Of what is sent, in bytes. */
    chunkSize?: number;
    tls?: TlsOptions;
    /** Where connections go that ask to play; not for TLS, whose keys are in this process. */
    handOver?: RtmpHandOver | undefined;
  }) {
    this.#handOver = options.handOver;
    this.#handlers = options.handlers;
    this.#limits = { ...DEFAULT_RTMP_LIMITS, ...options.limits };
    this.#chunkSize = options.chunkSize ?? DEFAULT_CHUNK_SIZE;
    this.#log = options.log;
    this.#encrypted = options.tls !== undefined;
    const onReady = (socket: Socket) => this.#serve(socket);
    if (options.tls === undefined) {
      this.#server = createServer({ highWaterMark: SOCKET_BUFFER });
      this.#server.on('connection', (socket: Socket) => {
        if (this.#admit(socket)) onReady(socket);
      });
    } else {
      const handshakeTimeout = this.#limits.handshakeMs;
      this.#server = createTlsServer({ highWaterMark: SOCKET_BUFFER, handshakeTimeout, ...options.tls }, onReady);
      // Before TLS begins: half a handshake counts too.
      this.#server.prependListener('connection', (socket: Socket) => this.#admit(socket));
      this.#server.on('tlsClientError', (error: Error, socket: Socket) => {
        const fields = { ip: socket.remoteAddress ?? 'unknown', reason: 'tls', detail: error.message };
        this.#log.debug(fields, 'RTMPS handshake failed');
        // After a handshake that took too long node leaves the socket open.
        socket.destroy();
      });
    }
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#connections.size;
  }

  /** @param port 0 takes a free one */
  listen(port: number, host = '::'): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ port, host }, () => {
        this.#server.off('error', reject);
        this.#server.on('error', (error) => {
          this.#log.warn({ reason: 'accept', detail: error.message }, 'a connection could not be accepted');
        });
        resolve(this.#server.address() as AddressInfo);
      });
    });
  }

  /** Takes a new certificate for the connections to come. Does nothing without TLS. */
  setSecureContext(context: SecureContextOptions): void {
    if (this.#server instanceof TlsServer) this.#server.setSecureContext(context);
  }

  /**
   * Takes a connection that somebody else accepted.
   *
   * @param received what its client has said there, all of which was answered
   */
  accept(socket: Socket, received?: Buffer): void {
    if (received === undefined) this.#server.emit('connection', socket);
    else if (this.#admit(socket)) this.#serve(socket).takeOver(received);
  }

  /** Stops listening and ends the connections politely. Resolves when all are gone. */
  close(reason = 'the server is going down'): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    // The listener doesn't wait for those that it was handed.
    const gone = [...this.#connections.values()].map(
      (socket) => new Promise((resolve) => socket.once('close', resolve)),
    );
    for (const connection of this.#connections.keys()) connection.end(reason);
    const cut = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, LINGER_MS);
    return Promise.all([closed, ...gone]).then(() => clearTimeout(cut));
  }

  /** Counts a socket in, or drops it. */
  #admit(socket: Socket): boolean {
    const ip = socket.remoteAddress ?? 'unknown';
    const fromIp = this.#perIp.get(ip) ?? 0;
    if (this.#sockets.size >= this.#limits.maxConnections || fromIp >= this.#limits.maxConnectionsPerIp) {
      const fields = { ip, reason: 'too-many-connections', connections: this.#sockets.size, fromIp };
      this.#log.warn(fields, 'RTMP connection refused');
      socket.on('error', () => socket.destroy());
      socket.destroy();
      return false;
    }
    this.#sockets.add(socket);
    this.#perIp.set(ip, fromIp + 1);
    const release = () => {
      if (!this.#release.delete(socket)) return;
      this.#sockets.delete(socket);
      const left = (this.#perIp.get(ip) ?? 1) - 1;
      if (left === 0) this.#perIp.delete(ip);
      else this.#perIp.set(ip, left);
    };
    this.#release.set(socket, release);
    socket.once('close', release);
    return true;
  }

  #serve(socket: Socket): RtmpConnection {
    const handOver: HandOver = (from, received) => {
      const release = this.#release.get(from);
      const isTaken = this.#handOver?.(from, received, () => release?.()) ?? false;
      if (isTaken) this.#connections.delete(connection);
      return isTaken;
    };
    const connection = new RtmpConnection({
      socket,
      encrypted: this.#encrypted,
      handlers: this.#handlers,
      limits: this.#limits,
      chunkSize: this.#chunkSize,
      log: this.#log,
      handOver: this.#encrypted || this.#handOver === undefined ? undefined : handOver,
    });
    this.#connections.set(connection, socket);
    socket.once('close', () => this.#connections.delete(connection));
    return connection;
  }
}
