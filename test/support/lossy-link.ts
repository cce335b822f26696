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
}

/** A UDP relay between one client and one server that loses, delays and reorders, as a bad line does. */
export class LossyLink {
  readonly port: number;
  lost = 0;
  readonly #sockets: readonly [Socket, Socket];

  private constructor(sockets: readonly [Socket, Socket]) {
    this.#sockets = sockets;
    this.port = sockets[0].address().port;
  }

  static async open(target: number, { loss, delayMs, jitterMs, loses }: LineOptions): Promise<LossyLink> {
    const [outside, inside] = [createSocket('udp4'), createSocket('udp4')];
    outside.bind(0, '127.0.0.1');
    inside.bind(0, '127.0.0.1');
    await Promise.all([once(outside, 'listening'), once(inside, 'listening')]);
    const link = new LossyLink([outside, inside]);
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
        setTimeout(() => to.send(datagram, port(), '127.0.0.1', () => undefined), delayMs + Math.random() * jitterMs);
      });
      from.on('error', () => undefined);
    };
    carry(outside, inside, () => target);
    carry(inside, outside, () => client);
    return link;
  }

  close(): void {
    for (const socket of this.#sockets) {
      socket.removeAllListeners('message');
      // What is under way must still find a socket to fail on.
      setTimeout(() => socket.close(), 200).unref();
    }
  }
}
