import { Agent, request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { pipeline } from 'node:stream';
import type { MediaRequest, NodeResponse } from '@sluice/delivery';

/** Headers that speak of one connection, RFC 9110 §7.6.1, and those that HTTP/2 has in their place. */
const OF_CONNECTION: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

/** Has the main process answer requests that came here, because TLS or a connection that stays open hid them. */
export class MainRequests {
  readonly #socketPath: string;
  readonly #agent = new Agent({ keepAlive: true });

  /** @param socketPath where the main process listens for them */
  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  /** Never rejects for what a client or the main process does. */
  readonly serve = ({ message, ip }: MediaRequest, response: NodeResponse): Promise<void> =>
    new Promise((resolve) => {
      const asked = httpRequest({
        agent: this.#agent,
        socketPath: this.#socketPath,
        method: message.method ?? 'GET',
        path: message.url ?? '/',
        headers: { ...headersOf(message), 'x-forwarded-for': ip },
        setHost: false,
      });
      response.once('close', () => {
        asked.destroy();
        resolve();
      });
      asked.on('error', () => fail(response));
      asked.on('response', (answer: IncomingMessage) => {
        response.writeHead(answer.statusCode ?? 502, endToEnd(answer.headers));
        pipeline(answer, response, () => undefined);
      });
      pipeline(message, asked, () => undefined);
    });

  close(): void {
    this.#agent.destroy();
  }
}

function headersOf(message: MediaRequest['message']): OutgoingHttpHeaders {
  const authority = message.headers[':authority'];
  const host = message.headers.host ?? (typeof authority === 'string' ? authority : 'localhost');
  return { ...endToEnd(message.headers), host };
}

function endToEnd(headers: IncomingMessage['headers']): OutgoingHttpHeaders {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !name.startsWith(':') && !OF_CONNECTION.has(name)),
  );
}

function fail(response: NodeResponse): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(503, { 'Content-Type': 'application/json; charset=utf-8', 'Retry-After': '2' });
  response.end('{"error":{"code":"unavailable","message":"the main process does not answer"}}\n');
}
