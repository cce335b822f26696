import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type ClientHttp2Session, connect } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import type { Logger } from '@sluice/core';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type HttpDoor, type TlsFiles, tlsDoor } from './http-door.js';
import type { NodeResponse } from './media-response.js';

const BODY = Buffer.alloc(1024 * 1024, 7);
const log = { warn: () => undefined } as unknown as Logger;

async function certificate(name: string): Promise<TlsFiles> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-door-'));
  const [certFile, keyFile] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  await promisify(execFile)('openssl', [
    'req',
    '-x509',
    ...curve,
    '-subj',
    `/CN=${name}`,
    '-out',
    certFile,
    '-keyout',
    keyFile,
  ]);
  const files = { cert: await readFile(certFile), key: await readFile(keyFile) };
  await rm(directory, { recursive: true });
  return files;
}

describe('tlsDoor', () => {
  let first: TlsFiles;
  let door: HttpDoor;
  const clients: ClientHttp2Session[] = [];
  beforeAll(async () => {
    first = await certificate('first');
  });
  beforeEach(async () => {
    door = tlsDoor(first, log);
    door.server.on('request', (_request: unknown, response: NodeResponse) => {
      response.setHeader('Content-Length', BODY.length);
      response.end(BODY);
    });
    door.server.listen(0, '127.0.0.1');
    await once(door.server, 'listening');
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    if (!door.server.listening) return;
    const closed = once(door.server, 'close');
    door.server.close();
    door.endAll();
    await closed;
  });

  async function client(): Promise<ClientHttp2Session> {
    const { port } = door.server.address() as AddressInfo;
    const session = connect(`https://127.0.0.1:${port}`, {
      rejectUnauthorized: false,
      maxSessionMemory: 1024,
      settings: { initialWindowSize: 2 * BODY.length },
    });
    clients.push(session);
    session.on('error', () => undefined);
    await once(session, 'connect');
    session.setLocalWindowSize(64 * BODY.length);
    return session;
  }

  const bytesOf = (session: ClientHttp2Session): Promise<number> =>
    new Promise((resolve, reject) => {
      const stream = session.request({ ':path': '/' });
      let bytes = 0;
      stream.on('data', (part: Buffer) => {
        bytes += part.length;
      });
      stream.on('end', () => resolve(bytes));
      stream.on('error', reject);
    });

  it('gives all of many long answers that one connection asks for at once', async () => {
    const session = await client();
    const answers = await Promise.all(Array.from({ length: 60 }, () => bytesOf(session)));
    expect(new Set(answers)).toEqual(new Set([BODY.length]));
  });

  it('shows a new certificate to new connections, and goes on with those it has', async () => {
    const nameOf = (session: ClientHttp2Session) => (session.socket as TLSSocket).getPeerCertificate().subject.CN;
    const before = await client();
    expect(await bytesOf(before)).toBe(BODY.length);
    door.setCertificate(await certificate('second'));
    const after = await client();
    expect([nameOf(before), nameOf(after)]).toEqual(['first', 'second']);
    expect(await Promise.all([bytesOf(before), bytesOf(after)])).toEqual([BODY.length, BODY.length]);
  });

  it('takes no more requests when it closes, and ends what is under way', async () => {
    const session = await client();
    const answer = bytesOf(session);
    await new Promise<void>((resolve) => session.ping(() => resolve()));
    const goaway = once(session, 'goaway');
    const closed = once(door.server, 'close');
    door.server.close();
    door.endIdle();
    expect(await answer).toBe(BODY.length);
    expect((await goaway)[0]).toBe(0);
    await closed;
  });
});
