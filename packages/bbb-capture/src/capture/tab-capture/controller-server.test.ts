import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { ControllerServer } from './controller-server.js';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start() {
  const frames: Buffer[] = [];
  const server = await ControllerServer.start({ tabTitle: 'the-tab', onFrame: (bytes) => frames.push(bytes) });
  const url = new URL(server.controllerUrl);
  return { server, frames, url };
}

/** The status that a request to upgrade is answered with; 101 where it is taken. */
async function upgrade(url: string, origin: string): Promise<number> {
  const socket = new WebSocket(url, { origin });
  const status = await new Promise<number>((done) => {
    socket.once('open', () => done(101));
    socket.once('unexpected-response', (request, { statusCode = 0 }) => {
      request.destroy();
      done(statusCode);
    });
    socket.on('error', () => undefined);
  });
  if (status !== 101) return status;
  socket.send(Buffer.from('frame'));
  socket.close();
  await once(socket, 'close');
  return status;
}

test('pages and frames are for who knows the key, frames for its own page alone', async () => {
  const { server, frames, url } = await start();
  closing.push(() => server.close());
  const statusOf = async (path: string) => (await fetch(new URL(path, url))).status;
  const wrong = 'x'.repeat(url.pathname.length - 2);
  expect(await statusOf(url.pathname)).toBe(200);
  expect(await statusOf(`${url.pathname}tab`)).toBe(200);
  expect(await statusOf(`${url.pathname}uplink.js`)).toBe(200);
  for (const path of [
    '/',
    `/${wrong}/`,
    `/${wrong}/tab`,
    `${url.pathname}tsconfig.json`,
    `${url.pathname}..%2findex.js`,
  ]) {
    expect(await statusOf(path), path).toBe(404);
  }
  const frameUrl = (path: string) => `ws://${url.host}${path}frames`;
  expect(await upgrade(frameUrl(`/${wrong}/`), url.origin)).toBe(403);
  expect(await upgrade(frameUrl(url.pathname), 'https://elsewhere.example')).toBe(403);
  expect(await upgrade(`${frameUrl(url.pathname)}x`, url.origin)).toBe(403);
  expect(frames).toEqual([]);
  expect(await upgrade(frameUrl(url.pathname), url.origin)).toBe(101);
  expect(frames.map(String)).toEqual(['frame']);
});

test('nobody who is refused can keep it from closing', async () => {
  const { server, url } = await start();
  const stranger = connect({ port: Number(url.port), host: '127.0.0.1', allowHalfOpen: true });
  closing.push(async () => stranger.destroy());
  stranger.on('error', () => undefined);
  stranger.write(`GET /frames HTTP/1.1\r\nHost: ${url.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
  const [answer] = await once(stranger, 'data');
  expect(String(answer)).toMatch(/^HTTP\/1\.1 403 /);
  await server.close();
}, 5000);
