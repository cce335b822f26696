import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { connect as connectTcp, isIP, isIPv6, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { WebRtcError } from '../errors.js';
import type { TransportAddress } from '../wire/stun.js';

/** A STUN or TURN server. */
export interface ServerAddress {
  /** A name or an address. */
  readonly host: string;
  readonly port: number;
  readonly transport: 'udp' | 'tcp';
  /** TLS over TCP; its certificate must be good for the host. */
  readonly isSecure: boolean;
}

/** A way to a server. */
export interface Line {
  /** Ours. */
  readonly local: TransportAddress;
  send(bytes: Buffer): void;
  close(): void;
}

export interface LineHandler {
  bytes(bytes: Buffer): void;
  /** Once at most; not after `close()`. */
  failed(detail: string): void;
}

/**
 * Opens a way to a server: over UDP nothing is sent by that, over TCP and TLS it is connected by then.
 *
 * @throws {WebRtcError} `unreachable`
 */
export async function openLine(server: ServerAddress, handler: LineHandler, timeoutMs: number): Promise<Line> {
  const address = await resolve(server.host);
  try {
    return server.transport === 'udp'
      ? await openUdp(address, server.port, handler)
      : await openTcp(address, server, handler, timeoutMs);
  } catch (error) {
    throw unreachable(error instanceof Error ? error.message : String(error));
  }
}

export function unreachable(detail: string): WebRtcError {
  return new WebRtcError('unreachable', detail);
}

/** IPv4 where there is a choice: it is what has NAT. */
async function resolve(host: string): Promise<string> {
  if (isIP(host) !== 0) return host;
  try {
    const found = await lookup(host, { all: true });
    const address = (found.find(({ family }) => family === 4) ?? found[0])?.address;
    if (address !== undefined) return address;
  } catch (error) {
    throw unreachable(`the name ${host} is not found (${(error as NodeJS.ErrnoException).code ?? String(error)})`);
  }
  throw unreachable(`the name ${host} has no address`);
}

async function openUdp(address: string, port: number, handler: LineHandler): Promise<Line> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  await new Promise<void>((done, failed) => {
    socket.once('error', failed);
    socket.once('connect', () => {
      socket.off('error', failed);
      done();
    });
    // With a callback, that would be given the error, and no event come.
    socket.connect(port, address);
  }).catch((error: unknown) => {
    socket.close();
    throw error;
  });
  let isOpen = true;
  const fail = (error: Error): void => {
    if (!isOpen) return;
    isOpen = false;
    socket.close();
    handler.failed(error.message);
  };
  socket.on('error', fail);
  socket.on('message', (bytes) => handler.bytes(bytes));
  return {
    local: socket.address(),
    send: (bytes) => {
      // A connected socket tells on a later send that nobody is there.
      if (isOpen) socket.send(bytes, (error) => error && fail(error));
    },
    close: () => {
      if (isOpen) socket.close();
      isOpen = false;
    },
  };
}

async function openTcp(host: string, server: ServerAddress, handler: LineHandler, timeoutMs: number): Promise<Line> {
  const servername = isIP(server.host) === 0 ? server.host : undefined;
  // Where the server is named by an address, its certificate must be for that.
  const socket: Socket = server.isSecure
    ? connectTls({ host, port: server.port, ...(servername === undefined ? {} : { servername }) })
    : connectTcp({ host, port: server.port });
  await new Promise<void>((done, failed) => {
    const timer = setTimeout(() => failed(new Error(`no connection within ${timeoutMs} ms`)), timeoutMs);
    const settled = (act: () => void) => () => {
      clearTimeout(timer);
      act();
    };
    socket.once('error', (error) => settled(() => failed(error))());
    socket.once(
      'close',
      settled(() => failed(new Error('the connection was closed'))),
    );
    socket.once(server.isSecure ? 'secureConnect' : 'connect', settled(done));
  }).catch((error: unknown) => {
    socket.destroy();
    throw error;
  });
  let isOpen = true;
  const fail = (detail: string): void => {
    if (!isOpen) return;
    isOpen = false;
    socket.destroy();
    handler.failed(detail);
  };
  socket.on('error', (error) => fail(error.message));
  socket.on('close', () => fail('the connection was closed'));
  socket.on('data', (bytes: Buffer) => handler.bytes(bytes));
  return {
    local: { address: socket.localAddress ?? '', port: socket.localPort ?? 0 },
    send: (bytes) => {
      if (isOpen) socket.write(bytes);
    },
    close: () => {
      isOpen = false;
      socket.destroy();
    },
  };
}
