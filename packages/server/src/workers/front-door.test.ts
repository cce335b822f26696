import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { createServer as createTlsServer, request as requestTls } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LiveConfig, resolveConfig, silentLogger } from '@sluice/core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FrontDoor, type FrontDoorOptions } from './front-door.js';
import { PastStreams } from './past-streams.js';

const ends: (() => unknown)[] = [];
afterEach(() => {
  for (const end of ends.splice(0).reverse()) end();
});

type Taken = { readonly door: string; readonly head: string | undefined; readonly gone: () => void };

/** A door in front of a server of this process, and of a worker that takes what it is given, where there is one. */
async function makeDoor(options: Partial<FrontDoorOptions> & Pick<FrontDoorOptions, 'own'>, hasWorker = false) {
  const taken: Taken[] = [];
  const worker = {
    id: 1,
    connections: 0,
    hand: (door: string, socket: { destroy(): void }, head: Buffer | undefined, gone: () => void) => {
      taken.push({ door, head: head?.toString(), gone });
      socket.destroy();
    },
  } as unknown as ReturnType<FrontDoorOptions['workers']>[number];
  const door = new FrontDoor({
    door: 'http',
    workers: () => (hasWorker ? [worker] : []),
    past: new PastStreams(new LiveConfig(resolveConfig({}))),
    maxConnections: 100,
    maxConnectionsPerIp: 100,
    log: silentLogger,
    ...options,
  });
  const { port }: AddressInfo = await door.listen(0, '127.0.0.1');
  ends.push(() => door.close());
  return { port, taken };
}

/** Answers with the length of what it was sent. */
function ask(port: number, isEncrypted: boolean, body: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { port, host: '127.0.0.1', method: 'POST', path: '/whip/live/show', agent: false as const };
    const asked = isEncrypted ? requestTls({ ...options, rejectUnauthorized: false }) : request(options);
    asked.on('response', (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve(text));
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

const answerLength: Parameters<typeof createServer>[1] = (asked, response) => {
  let length = 0;
  asked.on('data', (bytes: Buffer) => {
    length += bytes.length;
  });
  asked.on('end', () => response.end(String(length)));
};

describe('FrontDoor', () => {
  it('gives the server of this process whole requests, plain', async () => {
    const server = createServer(answerLength);
    const { port } = await makeDoor({ own: { accept: (socket) => server.emit('connection', socket) } });
    expect(await ask(port, false, Buffer.alloc(500_000))).toBe('500000');
  });

  it('gives it whole connections where they are encrypted', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-front-'));
    ends.push(() => rmSync(folder, { recursive: true }));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    execFileSync('openssl', ['req', '-x509', ...curve, '-subj', '/CN=a', '-out', cert, '-keyout', key], {
      stdio: 'ignore',
    });
    const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, answerLength);
    const own = { accept: (socket: unknown) => server.emit('connection', socket) };
    const { port } = await makeDoor({ door: 'https', own });
    expect(await ask(port, true, Buffer.alloc(500_000))).toBe('500000');
  });

  it('gives workers what is theirs, with what has been read, and counts it until it is gone', async () => {
    const own = { accept: vi.fn() };
    const { port, taken } = await makeDoor({ own, maxConnections: 1 }, true);
    const begin = () => {
      const socket = connect(port, '127.0.0.1');
      ends.push(() => socket.destroy());
      socket.on('error', () => undefined);
      socket.write('GET /live/show.flv HTTP/1.1\r\nHost: a\r\n\r\n');
      return new Promise((resolve) => socket.on('close', resolve));
    };
    await begin();
    expect(taken).toMatchObject([{ door: 'http', head: 'GET /live/show.flv HTTP/1.1\r\nHost: a\r\n\r\n' }]);
    await begin();
    expect(taken).toHaveLength(1);
    taken[0]?.gone();
    taken[0]?.gone();
    await begin();
    expect(taken).toHaveLength(2);
    expect(own.accept).not.toHaveBeenCalled();
  });
});
