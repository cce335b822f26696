import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

export interface LineOptions {
  /** Share of datagrams that get lost, each way. */
  readonly loss: number;
  /** Milliseconds one way, and how much it varies: enough to change the order. */
  readonly delayMs: number;
  readonly jitterMs: number;
  /** Says of a datagram on its way to the server, or back, that it gets lost whatever chance says. */
  readonly loses?: (datagram: Buffer, toServer: boolean) => boolean;
  /** What the way to the client carries, in bit/s; else as much as comes. */
  readonly rate?: number;
  /** What would wait longer for that is lost. */
  readonly queueMs?: number;
}

const QUEUE_MS = 1000;
/** A burst that comes while this process is busy must find room. */
const RECEIVE_BYTES = 212_992;

/** A UDP relay between one client and one server that loses, delays and reorders, or is narrow, as a bad line is. */
export class LossyLink {
  readonly port: number;
  lost = 0;
  /** As in the options; may change on the way. */
  rate: number | undefined;
  /** The longest that a datagram has waited for the rate. */
  longestQueueMs = 0;
  readonly #queueMs: number;
  /** When the last of what waits has gone out. */
  #freeAt = 0;
  readonly #sockets: readonly [Socket, Socket];

  private constructor(sockets: readonly [Socket, Socket], { rate, queueMs = QUEUE_MS }: LineOptions) {
    this.#sockets = sockets;
    this.rate = rate;
    this.#queueMs = queueMs;
    this.port = sockets[0].address().port;
  }

  static async open(target: number, options: LineOptions): Promise<LossyLink> {
    const { loss, delayMs, jitterMs, loses } = options;
    const [outside, inside] = [createSocket('udp4'), createSocket('udp4')];
    outside.bind(0, '127.0.0.1');
    inside.bind(0, '127.0.0.1');
    await Promise.all([once(outside, 'listening'), once(inside, 'listening')]);
    for (const socket of [outside, inside]) socket.setRecvBufferSize(RECEIVE_BYTES);
    const link = new LossyLink([outside, inside], options);
    let client = 0;
    const carry = (from: Socket, to: Socket, port: () => number) => {
      from.on('message', (datagram, { port: sender }) => {
        if (from === outside) client = sender;
        // A handshake that gets lost may be the last one that a tool which listens once would answer.
        const isHandshake = datagram.length >= 16 && datagram.readUInt16BE(0) === 0x8000;
        if ((!isHandshake && Math.random() < loss) || loses?.(datagram, from === outside) === true) {
          link.lost += 1;
          return;
        }
        const queued = from === inside ? link.#queue(datagram.length) : 0;
        if (queued === undefined) {
          link.lost += 1;
          return;
        }
        const delay = delayMs + Math.random() * jitterMs + queued;
        setTimeout(() => to.send(datagram, port(), '127.0.0.1', () => undefined), delay);
      });
      from.on('error', () => undefined);
    };
    carry(outside, inside, () => target);
    carry(inside, outside, () => client);
    return link;
  }

  /** @returns how long a datagram waits until it is through; undefined where the queue is full */
  #queue(bytes: number): number | undefined {
    const now = performance.now();
    const waits = Math.max(0, this.#freeAt - now);
    if (this.rate === undefined) return waits;
    if (waits > this.#queueMs) return undefined;
    this.longestQueueMs = Math.max(this.longestQueueMs, waits);
    this.#freeAt = now + waits + (bytes * 8000) / this.rate;
    return this.#freeAt - now;
  }

  close(): void {
    for (const socket of this.#sockets) {
      socket.removeAllListeners('message');
      // What is under way must still find a socket to fail on.
      setTimeout(() => socket.close(), 200).unref();
    }
  }
}
