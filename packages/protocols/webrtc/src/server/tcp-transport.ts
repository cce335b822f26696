import { createServer, type Server, type Socket } from 'node:net';
import { WebRtcError } from '../errors.js';
import type { Remote } from '../session/ice-lite.js';
import { FrameReader, framed } from '../wire/tcp-framing.js';
import { MAPPED_PREFIX, type Receive } from './transport.js';

/** Who connects and doesn't show by then whom it belongs to is turned away. */
const INTRODUCTION_MS = 10_000;
const MOST_CONNECTIONS = 10_000;
/** What a peer doesn't read in time is lost, as it would be by UDP: late media is no use. */
const MOST_WAITING_BYTES = 512 * 1024;

/** ICE over TCP, RFC 6544: a passive candidate, to which peers connect whose network lets no UDP through. */
export class TcpTransport {
  readonly #receive: Receive;
  readonly #server: Server;
  readonly #connections = new Map<string, Socket>();

  private constructor(receive: Receive) {
    this.#receive = receive;
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
    this.#server.maxConnections = MOST_CONNECTIONS;
  }

  static async open(port: number, host: string, receive: Receive): Promise<TcpTransport> {
    const transport = new TcpTransport(receive);
    await new Promise<void>((resolve, reject) => {
      transport.#server.once('error', reject);
      transport.#server.listen({ port, host }, () => {
        transport.#server.off('error', reject);
        resolve();
      });
    });
    return transport;
  }

  send(pieces: readonly Buffer[], to: Remote): void {
    const socket = this.#connections.get(keyOf(to));
    if (socket === undefined || socket.writableLength > MOST_WAITING_BYTES) return;
    socket.write(framed(pieces));
  }

  /** Ends a peer's connection, once what was written has gone. */
  end(remote: Remote): void {
    this.#connections.get(keyOf(remote))?.end();
  }

  close(): Promise<void> {
    for (const socket of this.#connections.values()) socket.destroySoon();
    return new Promise((done) => {
      this.#server.close(() => done());
    });
  }

  #accept(socket: Socket): void {
    const { remoteAddress = '', remotePort = 0 } = socket;
    const from: Remote = { protocol: 'tcp', address: remoteAddress.replace(MAPPED_PREFIX, ''), port: remotePort };
    const key = keyOf(from);
    const frames = new FrameReader();
    const introduction = setTimeout(() => socket.destroy(), INTRODUCTION_MS);
    this.#connections.set(key, socket);
    socket.once('close', () => {
      clearTimeout(introduction);
      this.#connections.delete(key);
    });
    // A peer that is gone: its session finds out by the silence.
    socket.on('error', () => socket.destroy());
    socket.on('data', (bytes) => {
      for (const datagram of datagramsOf(frames, bytes, socket)) {
        if (this.#receive(datagram, from)) clearTimeout(introduction);
      }
    });
  }
}

function datagramsOf(frames: FrameReader, bytes: Buffer, socket: Socket): Buffer[] {
  try {
    return frames.push(bytes);
  } catch (error) {
    if (!(error instanceof WebRtcError)) throw error;
    socket.destroy();
    return [];
  }
}

const keyOf = ({ address, port }: Remote): string => `${address} ${port}`;
