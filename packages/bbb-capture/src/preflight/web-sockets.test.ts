import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { webSocketFindings } from './web-sockets.js';

const SUBJECT = { sfu: /sfu/, graphql: /graphql/, livekit: /livekit/ } as const;

describe('webSocketFindings', () => {
  let server: Server;
  let answer: string;
  const sockets = new Set<Socket>();
  const webSockets = new WebSocketServer({ noServer: true });
  beforeEach(async () => {
    server = createServer((_request, response) => response.end('a page'));
    server.on('connection', (socket) => sockets.add(socket));
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  });
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    await new Promise((done) => server.close(done));
  });
  const statuses = async (version?: string, timeoutMs = 3000) => {
    const { port } = server.address() as AddressInfo;
    const findings = await webSocketFindings(`http://127.0.0.1:${port}`, version, timeoutMs);
    const of = (subject: RegExp) => findings.find(({ check }) => subject.test(check))?.status;
    return [of(SUBJECT.sfu), of(SUBJECT.graphql), of(SUBJECT.livekit)];
  };
  const answering = (line: string) => {
    answer = line;
    server.on('upgrade', (_request, socket) => socket.end(`HTTP/1.1 ${answer}\r\nConnection: close\r\n\r\n`));
  };

  it('takes an open socket, and a question for a session, for a way through', async () => {
    server.on('upgrade', (request, socket, head) => webSockets.handleUpgrade(request, socket, head, () => undefined));
    expect(await statuses()).toEqual(['ok', 'ok', 'ok']);
    server.removeAllListeners('upgrade');
    answering('401 Unauthorized');
    expect(await statuses('3.0.4')).toEqual(['ok', 'ok', 'ok']);
    answer = '403 Forbidden';
    expect(await statuses()).toEqual(['ok', 'ok', 'ok']);
  });

  it('knows which of them a generation must have', async () => {
    answering('404 Not Found');
    expect(await statuses('2.7.1')).toEqual(['failed', 'ok', 'ok']);
    expect(await statuses('3.0.4')).toEqual(['failed', 'failed', 'ok']);
    answer = '502 Bad Gateway';
    expect(await statuses('2.7.1')).toEqual(['failed', 'warning', 'warning']);
  });

  it('finds a proxy that knows no WebSockets, and one that says nothing', async () => {
    expect(await statuses()).toEqual(['failed', 'failed', 'failed']);
    server.on('upgrade', () => undefined);
    expect(await statuses(undefined, 100)).toEqual(['failed', 'failed', 'failed']);
  });
});
