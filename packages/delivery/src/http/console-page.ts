import { isLoopback } from '@sluice/core';
import type { MediaRequest } from './media-request.js';
import type { MediaResponse } from './media-response.js';
import { sendError } from './responses.js';

/** Where the control API listens; a port is undefined where it doesn't. */
export interface ConsoleAddress {
  readonly host: string;
  readonly port: number | undefined;
  readonly tlsPort: number | undefined;
}

const HOST = /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d+)?$/;
const SETTING = 'Set api.host to an address that you can reach, or make a tunnel: ssh -L 1985:127.0.0.1:1985';

/** `/console` leads to the console, which the control API serves on its own port. */
export class ConsolePage {
  readonly #address: () => ConsoleAddress;

  /** @param address asked at each request: ports are known late */
  constructor(address: () => ConsoleAddress) {
    this.#address = address;
  }

  serve({ message, ip }: MediaRequest, response: MediaResponse): void {
    const { host, port, tlsPort } = this.#address();
    const isTls = 'encrypted' in message.socket;
    const target = isTls ? (tlsPort ?? port) : port;
    if (target === undefined) {
      sendError(response, 404, 'no-console', 'the console needs the control API, which is off (api.enabled)');
      return;
    }
    if ((isLoopback(host) || host === 'localhost') && !isLoopback(ip)) {
      sendError(
        response,
        404,
        'no-console',
        `the console can be reached from this machine only (api.host). ${SETTING}`,
      );
      return;
    }
    const authority = message.headers[':authority'];
    const asked = typeof authority === 'string' ? authority : (message.headers.host ?? '');
    const name = HOST.exec(asked)?.[1] ?? host;
    const scheme = isTls && tlsPort !== undefined ? 'https' : 'http';
    response.writeHead(302, { Location: `${scheme}://${name}:${target}/console`, 'Cache-Control': 'no-store' });
    response.end();
  }
}
