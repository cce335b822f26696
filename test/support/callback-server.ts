import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedCallback {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Of the connection that it came over; tells kept connections from new ones. */
  readonly port: number;
}

export interface CallbackReply {
  readonly status?: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What the stub does with a request; `never` leaves it without an answer. */
export type CallbackHandler = (received: ReceivedCallback) => CallbackReply | 'never' | Promise<CallbackReply>;

/** A callback server on a loopback port, which remembers what it was asked. */
export class CallbackServer {
  readonly received: ReceivedCallback[] = [];
  /** What SRS's own example server answers. */
  answer: CallbackHandler = () => ({ body: '0' });
  readonly port: number;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  /** @param port a free one where none is given */
  static async start(port = 0): Promise<CallbackServer> {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));
    const stub = new CallbackServer(server);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', async () => {
        const received: ReceivedCallback = {
          path: request.url ?? '',
          headers: request.headers,
          text: Buffer.concat(chunks).toString(),
          port: request.socket.remotePort ?? 0,
        };
        stub.received.push(received);
        const reply = await stub.answer(received);
        if (reply !== 'never') response.writeHead(reply.status ?? 200, reply.headers).end(reply.body ?? '');
      });
    });
    return stub;
  }

  url(path = '/'): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  /** The bodies received so far, read as JSON. */
  get bodies(): unknown[] {
    return this.received.map(({ text }) => JSON.parse(text));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }
}
