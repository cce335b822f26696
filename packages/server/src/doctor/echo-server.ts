import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, isIPv6, type Server, type Socket } from 'node:net';
import { plainAddress } from '@sluice/core';
import type { Door } from '../network/doors.js';
import { echoOf, LEAST_PROBE_BYTES } from './probe-message.js';

/** A probe that arrived. */
export interface ProbeArrival {
  readonly door: Door;
  readonly from: string;
  readonly bytes: number;
}

const MOST_CONNECTIONS = 100;
const IDLE_MS = 5000;

/** Sends probes back on the ports of a configuration, while Sluice isn't there to have them. */
export class EchoServer {
  readonly #arrived: (arrival: ProbeArrival) => void;
  readonly #closers: (() => Promise<void>)[] = [];

  constructor(arrived: (arrival: ProbeArrival) => void) {
    this.#arrived = arrived;
  }

  /** Opens one port. @throws what the system says */
  async open(door: Door): Promise<void> {
    if (door.protocol === 'tcp') await this.#openTcp(door);
    else await this.#openUdp(door);
  }

  async close(): Promise<void> {
    await Promise.all(this.#closers.splice(0).map((close) => close()));
  }

  async #openUdp(door: Door): Promise<void> {
    const socket: UdpSocket = createSocket({ type: isIPv6(door.host) ? 'udp6' : 'udp4' });
    socket.on('message', (bytes, { address, port }) => {
      const echo = echoOf(bytes);
      if (echo === undefined) return;
      this.#arrived({ door, from: plainAddress(address), bytes: bytes.length });
      // Whoever asked is gone, or can't be reached: they find out by the silence.
      socket.send(echo, port, address, () => undefined);
    });
    await new Promise<void>((done, fail) => {
      socket.once('error', fail);
      socket.bind({ port: door.port, address: door.host, exclusive: true }, () => {
        socket.off('error', fail);
        done();
      });
    }).catch((error: unknown) => {
      socket.close();
      throw error;
    });
    socket.on('error', () => undefined);
    this.#closers.push(() => new Promise((done) => socket.close(() => done())));
  }

  async #openTcp(door: Door): Promise<void> {
    const sockets = new Set<Socket>();
    const server: Server = createServer((socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      this.#serve(socket, door);
    });
    server.maxConnections = MOST_CONNECTIONS;
    await new Promise<void>((done, fail) => {
      server.once('error', fail);
      server.listen({ port: door.port, host: door.host, exclusive: true }, () => {
        server.off('error', fail);
        done();
      });
    });
    this.#closers.push(async () => {
      const closed = new Promise<void>((done) => server.close(() => done()));
      for (const socket of sockets) socket.destroy();
      await closed;
    });
  }

  /** Of a connection, the first bytes are read and no more. */
  #serve(socket: Socket, door: Door): void {
    let received = Buffer.alloc(0);
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    // A peer that resets its connection ends it, and nothing else.
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      if (received.length < LEAST_PROBE_BYTES) return;
      socket.pause();
      const echo = echoOf(received.subarray(0, LEAST_PROBE_BYTES));
      if (echo === undefined) {
        socket.destroy();
        return;
      }
      this.#arrived({ door, from: plainAddress(socket.remoteAddress ?? ''), bytes: LEAST_PROBE_BYTES });
      socket.end(echo);
    });
  }
}
