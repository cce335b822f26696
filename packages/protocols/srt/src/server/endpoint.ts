import { randomInt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns';
import { isIP, isIPv6 } from 'node:net';
import { SrtError } from '../errors.js';
import type { PeerAddress } from '../session/listener-handshake.js';
import { type ControlPacket, type Packet, readPacket, type SocketId } from '../wire/packet.js';
import { nowMicros, type SrtSocket } from './srt-socket.js';

const TICK_MS = 10;
/** Bursts of many senders wait in the kernel: 4 MiB. */
const KERNEL_BUFFER = 4 * 1024 * 1024;

/** Takes what belongs to no connection yet: handshakes. */
export type StrayHandler = (packet: ControlPacket, peer: PeerAddress) => void;

/** One UDP port, and the connections that share it: each datagram names the one that it is for. */
export class Endpoint {
  readonly #socket: Socket;
  readonly #connections = new Map<SocketId, SrtSocket>();
  readonly #onStray: StrayHandler;
  readonly #timer: NodeJS.Timeout;
  #isClosed = false;

  private constructor(socket: Socket, onStray: StrayHandler) {
    this.#socket = socket;
    this.#onStray = onStray;
    socket.on('message', (datagram, { address, port }) => this.#receive(datagram, { address, port }));
    // A peer that is gone says so by ICMP; its connection finds out by the silence.
    socket.on('error', () => undefined);
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** @param port 0 takes a free one */
  static open(port: number, host: string, onStray: StrayHandler): Promise<Endpoint> {
    return new Promise((resolve, reject) => {
      const socket = createSocket({
        type: isIPv6(host) ? 'udp6' : 'udp4',
        recvBufferSize: KERNEL_BUFFER,
        lookup: (name, options, done) => {
          // Peers are known by their addresses: no packet has to wait for a look-up that finds the same.
          const family = isIP(name);
          if (family === 0) lookup(name, options, done);
          else done(null, name, family);
        },
      });
      socket.once('error', reject);
      socket.bind(port, host, () => {
        socket.off('error', reject);
        resolve(new Endpoint(socket, onStray));
      });
    });
  }

  get port(): number {
    return this.#socket.address().port;
  }

  get connections(): number {
    return this.#connections.size;
  }

  send(datagram: Buffer, { address, port }: PeerAddress): void {
    if (!this.#isClosed) this.#socket.send(datagram, port, address);
  }

  /** One datagram in two pieces, which are not joined: the second one may be shared with many others. */
  sendPieces(head: Buffer, body: Buffer, { address, port }: PeerAddress): void {
    if (!this.#isClosed) this.#socket.send(body.length === 0 ? head : [head, body], port, address);
  }

  /** A number that no connection has. */
  freeId(): SocketId {
    for (;;) {
      const id = randomInt(1, 0x3fff_ffff) as SocketId;
      if (!this.#connections.has(id)) return id;
    }
  }

  add(id: SocketId, connection: SrtSocket): void {
    this.#connections.set(id, connection);
  }

  remove(id: SocketId): void {
    this.#connections.delete(id);
  }

  /** Says goodbye to all, and closes the port. */
  close(reason: string): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    clearInterval(this.#timer);
    for (const connection of [...this.#connections.values()]) connection.close(reason);
    this.#isClosed = true;
    return new Promise((done) => this.#socket.close(() => done()));
  }

  #receive(datagram: Buffer, peer: PeerAddress): void {
    const packet = readOrDrop(datagram);
    if (packet === undefined) return;
    const connection = this.#connections.get(packet.destination);
    if (connection !== undefined) {
      if (connection.peer.port === peer.port && connection.peer.address === peer.address) {
        connection.receive(packet, datagram);
      }
    } else if (packet.kind === 'control') this.#onStray(packet, peer);
  }

  #tick(): void {
    const now = nowMicros();
    for (const connection of this.#connections.values()) connection.tick(now);
  }
}

function readOrDrop(datagram: Buffer): Packet | undefined {
  try {
    return readPacket(datagram);
  } catch (error) {
    if (error instanceof SrtError) return undefined;
    throw error;
  }
}
