import { createHmac } from 'node:crypto';
import { createServer } from 'node:net';
import { millis } from '@sluice/media';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CallbackServer } from '../../../../test/support/callback-server.js';
import { CallbackClient, shownUrl } from './callback-client.js';

const NOW = 1_700_000_000_900;
const SECRET = 'a-secret-of-callbacks';

describe('CallbackClient', () => {
  let server: CallbackServer;
  let client: CallbackClient;
  beforeEach(async () => {
    server = await CallbackServer.start();
    client = new CallbackClient({ clock: { monotonic: () => millis(0), wall: () => millis(NOW) } });
  });
  afterEach(async () => {
    await client.close();
    await server.close();
  });

  const post = (over: Partial<Parameters<CallbackClient['post']>[0]> = {}) =>
    client.post({ url: server.url('/hook?key=hidden'), body: '{"a":"é"}', timeoutMs: 5000, ...over });

  it('posts a body and returns the answer, whatever its status', async () => {
    server.answer = () => ({ status: 403, body: 'no ü' });
    expect(await post()).toEqual({ status: 403, body: 'no ü' });
    const [received] = server.received;
    expect(received).toMatchObject({ path: '/hook?key=hidden', text: '{"a":"é"}' });
    expect(received?.headers).toMatchObject({ 'content-type': 'application/json', 'content-length': '10' });
    expect(received?.headers).not.toHaveProperty('sluice-signature');
  });

  it('keeps connections for the next ones', async () => {
    for (let count = 0; count < 10; count++) await post();
    // A connection whose answer has just been read may not be idle yet when the next request comes.
    expect(new Set(server.received.map(({ port }) => port)).size).toBeLessThan(4);
  });

  it('signs what it sends so that the receiver can check body and time', async () => {
    await post({ secret: SECRET });
    const { headers, text } = server.received[0]!;
    const [, time = '', mac = ''] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['sluice-signature'])) ?? [];
    expect(time).toBe('1700000000');
    expect(createHmac('sha256', SECRET).update(`${time}.${text}`).digest('hex')).toBe(mac);
    expect(createHmac('sha256', SECRET).update(`${time}.${text} `).digest('hex')).not.toBe(mac);
  });

  it('shows the user of the URL as Basic credentials', async () => {
    await post({ url: server.url('/').replace('//', '//an%40na:p%3Aw@') });
    expect(server.received[0]?.headers.authorization).toBe(`Basic ${Buffer.from('an@na:p:w').toString('base64')}`);
  });

  it('follows no redirect', async () => {
    server.answer = () => ({ status: 302, headers: { location: server.url('/elsewhere') } });
    expect(await post()).toMatchObject({ status: 302 });
    expect(server.received.map(({ path }) => path)).toEqual(['/hook?key=hidden']);
  });

  it('gives up a server that is silent', async () => {
    server.answer = () => 'never';
    await expect(post({ timeoutMs: 50 })).rejects.toMatchObject({
      code: 'timeout',
      message: `${server.url('/hook')} gave no answer in 50 ms`,
    });
  });

  it('gives up an answer that begins and never ends', async () => {
    const dripping = createServer((socket) => {
      socket.on('error', () => {}).resume();
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0');
    });
    await new Promise<void>((listening) => dripping.listen(0, '127.0.0.1', listening));
    const { port } = dripping.address() as { port: number };
    await expect(post({ url: `http://127.0.0.1:${port}/`, timeoutMs: 100 })).rejects.toMatchObject({ code: 'timeout' });
    await new Promise((closed) => dripping.close(closed));
  });

  it('takes no more of an answer than the limit', async () => {
    server.answer = () => ({ body: '0'.repeat(64 * 1024) });
    expect((await post()).body).toHaveLength(64 * 1024);
    server.answer = () => ({ body: '0'.repeat(64 * 1024 + 1) });
    await expect(post()).rejects.toMatchObject({ code: 'answer-too-long' });
  });

  it('says that nobody is there, without the query', async () => {
    const url = server.url('/hook?key=hidden');
    await server.close();
    const failed = await post({ url }).catch((error: Error) => error);
    expect(failed).toMatchObject({ code: 'unreachable', message: expect.stringContaining('ECONNREFUSED') });
    expect(String(failed)).not.toContain('hidden');
    server = await CallbackServer.start();
  });
});

it('shows a URL without what may be secret in it', () => {
  expect(shownUrl('https://anna:secret@example.org/hook?key=hidden#x')).toBe('https://example.org/hook');
});
