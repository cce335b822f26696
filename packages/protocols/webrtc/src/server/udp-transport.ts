import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Remote } from '../session/ice-lite.js';
import { MAPPED_PREFIX, type Receive } from './transport.js';

/** Bursts of many peers wait in the kernel: 4 MiB. */
const KERNEL_BUFFER = 4 * 1024 * 1024;

/** One UDP port for all peers. */
export class UdpTransport {
  readonly port: number;
  readonly #socket: Socket;
  readonly #isIPv6: boolean;

  private constructor(socket: Socket, isSix: boolean) {
    this.#socket = socket;
    this.#isIPv6 = isSix;
    this.port = socket.address().port;
  }

  /** @param port 0 takes a free one */
  static async open(port: number, host: string, receive: Receive): Promise<UdpTransport> {
    const socket = createSocket({
      type: isIPv6(host) ? 'udp6' : 'udp4',
      recvBufferSize: KERNEL_BUFFER,
      sendBufferSize: KERNEL_BUFFER,
      // Addresses only, never names: nothing is to be looked up, and no packet to wait for it.
      lookup: (address, _options, done) => done(null, address, isIPv6(address) ? 6 : 4),
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(port, host, () => {
        socket.off('error', reject);
        resolve();
      });
    });
    // A peer that is gone says so by ICMP; its session finds out by the silence.
    socket.on('error', () => undefined);
    socket.on('message', (datagram, { address, port: from }) => {
      receive(datagram, { protocol: 'udp', address: address.replace(MAPPED_PREFIX, ''), port: from });
    });
    return new UdpTransport(socket, isIPv6(host));
  }

  send(pieces: readonly Buffer[], { address, port }: Remote): void {
    const isMapped = this.#isIPv6 && !isIPv6(address);
    this.#socket.send(pieces, port, isMapped ? `${MAPPED_PREFIX}${address}` : address);
  }

  close(): Promise<void> {
    return new Promise((done) => {
      this.#socket.close(() => done());
    });
  }
}
