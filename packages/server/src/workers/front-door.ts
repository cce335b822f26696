import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Logger } from '@sluice/core';
import { readFirstLine } from './first-line.js';
import type { DoorName } from './handed-socket.js';
import type { PastStreams } from './past-streams.js';
import { leastBusy, ofAddress } from './placement.js';
import { placeOfRequest } from './request-place.js';
import type { WorkerProcess } from './worker-process.js';

/** A viewer's socket buffers this much in the process, as those that servers accept themselves. */
const SOCKET_BUFFER = 128 * 1024;

export interface FrontDoorOptions {
  readonly door: DoorName;
  /** The workers that are there at the moment. */
  readonly workers: () => readonly WorkerProcess[];
  /** The same door in this process, for what is its own, and for times without workers. */
  readonly own: { accept(socket: Socket): void };
  readonly past: PastStreams;
  readonly maxConnections: number;
  readonly maxConnectionsPerIp: number;
  readonly log: Logger;
}

/** Accepts the connections of one port, and hands each on to the process that serves it. */
export class FrontDoor {
  readonly #options: FrontDoorOptions;
  readonly #server: Server;
  readonly #perIp = new Map<string, number>();
  /** Those whose first line hasn't come yet. */
  readonly #waiting = new Set<Socket>();
  #connections = 0;

  constructor(options: FrontDoorOptions) {
    this.#options = options;
    this.#server = createServer({ pauseOnConnect: true, highWaterMark: SOCKET_BUFFER });
    this.#server.on('connection', (socket: Socket) => this.#take(socket));
  }

  /** @param port 0 takes a free one */
  listen(port: number, host: string): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ port, host }, () => {
        this.#server.off('error', reject);
        this.#server.on('error', (error) => {
          this.#options.log.warn({ reason: 'accept', detail: error.message }, 'a connection could not be accepted');
        });
        resolve(this.#server.address() as AddressInfo);
      });
    });
  }

  /** Stops listening. Those who have what was accepted end it. */
  close(): void {
    this.#server.close();
    for (const socket of this.#waiting) socket.destroy();
  }

  #take(socket: Socket): void {
    const ip = socket.remoteAddress;
    const gone = ip === undefined ? undefined : this.#count(ip);
    if (ip === undefined || gone === undefined) {
      socket.on('error', () => socket.destroy());
      socket.destroy();
      return;
    }
    const { door } = this.#options;
    if (door === 'http') this.#takeRequest(socket, ip, gone);
    else if (door === 'https') this.#hand(socket, ofAddress(this.#options.workers(), ip), gone);
    else this.#hand(socket, leastBusy(this.#options.workers()), gone);
  }

  #takeRequest(socket: Socket, ip: string, gone: () => void): void {
    const { workers, past } = this.#options;
    this.#waiting.add(socket);
    socket.once('close', gone);
    readFirstLine(socket, ({ line, bytes }) => {
      this.#waiting.delete(socket);
      socket.off('close', gone);
      const place = placeOfRequest(line, past);
      if (place === 'main') this.#hand(socket, undefined, gone, bytes);
      else this.#hand(socket, place === 'any-worker' ? leastBusy(workers()) : ofAddress(workers(), ip), gone, bytes);
    });
    socket.once('close', () => this.#waiting.delete(socket));
    socket.resume();
  }

  #hand(socket: Socket, worker: WorkerProcess | undefined, gone: () => void, head?: Buffer): void {
    if (worker !== undefined) {
      worker.hand(this.#options.door, socket, head, gone);
      return;
    }
    socket.once('close', gone);
    if (head !== undefined && head.length > 0) socket.unshift(head);
    this.#options.own.accept(socket);
    socket.resume();
  }

  /** Counts a connection in. @returns what counts it out; undefined where there are too many */
  #count(ip: string): (() => void) | undefined {
    const { door, maxConnections, maxConnectionsPerIp, log } = this.#options;
    const fromIp = this.#perIp.get(ip) ?? 0;
    if (this.#connections >= maxConnections || fromIp >= maxConnectionsPerIp) {
      const fields = { door, ip, reason: 'too-many-connections', connections: this.#connections, fromIp };
      log.warn(fields, 'connection refused');
      return undefined;
    }
    this.#connections += 1;
    this.#perIp.set(ip, fromIp + 1);
    let counted = true;
    return () => {
      if (!counted) return;
      counted = false;
      this.#connections -= 1;
      const left = (this.#perIp.get(ip) ?? 1) - 1;
      if (left === 0) this.#perIp.delete(ip);
      else this.#perIp.set(ip, left);
    };
  }
}
