import { randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';

/** The compiled page; beside `src` and `dist` alike. */
const PAGE = new URL('../../../dist/page/', import.meta.url);
const MODULES = ['controller', 'picture-track', 'picture-look', 'sound-track', 'uplink'];
const MOST_FRAME_BYTES = 16 * 1024 * 1024;

/**
 * Serves the controller tab on the loopback address and takes what it sends. Its address holds a random key, so that
 * nobody else on this machine can send pictures.
 */
export class ControllerServer {
  readonly #http: Server;
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: MOST_FRAME_BYTES, perMessageDeflate: false });
  readonly #key = randomBytes(24).toString('base64url');
  readonly #tabTitle: string;
  readonly #onFrame: (bytes: Buffer) => void;

  private constructor(tabTitle: string, onFrame: (bytes: Buffer) => void) {
    this.#tabTitle = tabTitle;
    this.#onFrame = onFrame;
    this.#http = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.writeHead(500).end());
    });
    this.#http.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  /** @param options.tabTitle of the page that the meeting's tab begins with, by which the browser knows it */
  static async start(options: { tabTitle: string; onFrame: (bytes: Buffer) => void }): Promise<ControllerServer> {
    const server = new ControllerServer(options.tabTitle, options.onFrame);
    server.#http.listen(0, '127.0.0.1');
    await once(server.#http, 'listening');
    return server;
  }

  get controllerUrl(): string {
    return `${this.#origin}/${this.#key}/`;
  }

  /** An empty page with the title that is captured. */
  get tabUrl(): string {
    return `${this.#origin}/${this.#key}/tab`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#sockets.close();
    this.#http.close();
    this.#http.closeAllConnections();
    await once(this.#http, 'close');
  }

  get #origin(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  /** What is asked for behind the key; undefined where the key is wrong. */
  #pathOf(request: IncomingMessage): string | undefined {
    const [, key = '', path = ''] = /^\/([^/]*)\/(.*)$/.exec(request.url ?? '') ?? [];
    const [shown, wanted] = [Buffer.from(key), Buffer.from(this.#key)];
    return shown.length === wanted.length && timingSafeEqual(shown, wanted) ? path : undefined;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = this.#pathOf(request);
    const name = path === undefined ? undefined : /^([a-z-]+)\.js$/.exec(path)?.[1];
    if (path === '') html(response, 'capture', '<script type="module" src="controller.js"></script>');
    else if (path === 'tab') html(response, this.#tabTitle, '');
    else if (name !== undefined && MODULES.includes(name)) {
      const script = await readFile(new URL(`${name}.js`, PAGE));
      response.writeHead(200, { 'Content-Type': 'text/javascript', 'Cache-Control': 'no-store' }).end(script);
    } else response.writeHead(404).end();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // A page elsewhere doesn't know the key; the origin says once more that it is ours.
    if (this.#pathOf(request) !== 'frames' || request.headers.origin !== this.#origin) {
      // Dropped when it is said: the server can't close while somebody keeps his side open.
      socket.on('error', () => socket.destroy());
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n', () => socket.destroy());
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (webSocket: WebSocket) => {
      webSocket.on('message', (data) => {
        if (Buffer.isBuffer(data)) this.#onFrame(data);
      });
      // The tab is gone; the watch notices that nothing comes.
      webSocket.on('error', () => webSocket.terminate());
    });
  }
}

function html(response: ServerResponse, title: string, body: string): void {
  const headers = {
    'Content-Type': 'text/html; charset=utf-8',
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'no-referrer',
  };
  response.writeHead(200, headers).end(`<!doctype html><meta charset="utf-8"><title>${title}</title>${body}`);
}
