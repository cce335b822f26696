import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { encodeMessage } from '../wire/chunk-writer.js';
import { encodeCommand, encodeStatus } from '../wire/command.js';
import { HANDSHAKE_SIZE } from '../wire/handshake.js';
import { RtmpClient } from './client.js';

const servers: Server[] = [];
const sockets = new Set<Socket>();
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

/** A server that says what it is told to, whatever it hears. */
async function scripted(onSocket: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    onSocket(socket);
  });
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  const address = server.address();
  return `rtmp://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/live/show`;
}

const hello = Buffer.concat([Buffer.from([3]), Buffer.alloc(2 * HANDSHAKE_SIZE)]);
const ready = Buffer.concat([
  hello,
  encodeCommand(0, 128, '_result', 1, null, {}),
  encodeCommand(0, 128, '_result', 4, null, 1),
]);
const playing = encodeStatus(1, 128, { level: 'status', code: 'NetStream.Play.Start', description: '' });
const media = encodeMessage({ chunkStreamId: 6, type: 9, timestamp: 7, messageStreamId: 1 }, 128, Buffer.from([0x17]));

test('a server that never answers is given up in time', async () => {
  const url = await scripted((socket) => socket.resume());
  await expect(RtmpClient.connect(url, { timeoutMs: 50 })).rejects.toMatchObject({ code: 'time-out' });
});

test('a server that is not there rejects', async () => {
  const url = await scripted(() => {});
  await new Promise((resolve) => servers.splice(0)[0]?.close(resolve));
  await expect(RtmpClient.connect(url)).rejects.toMatchObject({ code: 'closed' });
});

test('a server that hangs up rejects', async () => {
  const url = await scripted((socket) => socket.end(hello));
  await expect(RtmpClient.connect(url)).rejects.toMatchObject({ code: 'closed' });
});

test('a server that speaks something else rejects', async () => {
  const url = await scripted((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
  await expect(RtmpClient.connect(url)).rejects.toMatchObject({ code: 'handshake' });
});

test('a refusal rejects with its reason', async () => {
  const url = await scripted((socket) => {
    socket.write(
      Buffer.concat([hello, encodeCommand(0, 128, '_error', 1, null, { code: 'NetConnection.Connect.Rejected' })]),
    );
  });
  await expect(RtmpClient.connect(url)).rejects.toThrow(/NetConnection.Connect.Rejected/);
});

test('media before Play.Start is not lost, and the end is told once', async () => {
  const url = await scripted((socket) => socket.write(Buffer.concat([ready, media, playing, media])));
  const onMessage = vi.fn();
  const onEnd = vi.fn();
  const onClose = vi.fn();
  const client = await RtmpClient.connect(url, { onClose });
  const played = client.play(onMessage, { onEnd });
  for (const socket of sockets) socket.write(playing);
  await played;
  for (const socket of sockets) {
    socket.write(media);
    socket.end(encodeStatus(1, 128, { level: 'status', code: 'NetStream.Play.UnpublishNotify', description: 'over' }));
  }
  await vi.waitFor(() => expect(onClose).toHaveBeenCalledTimes(1));
  expect(onClose).toHaveBeenCalledWith(undefined);
  expect(onMessage).toHaveBeenCalledWith({ type: 9, timestamp: 7, payload: Buffer.from([0x17]) });
  expect(onEnd).toHaveBeenCalledTimes(1);
  expect(onEnd).toHaveBeenCalledWith('NetStream.Play.UnpublishNotify: over');
});

test('an error thrown by onMessage ends the connection', async () => {
  const url = await scripted((socket) => socket.write(ready));
  const onClose = vi.fn();
  const client = await RtmpClient.connect(url, { onClose });
  const played = client.play(() => {
    throw new Error('boom');
  });
  for (const socket of sockets) socket.write(media);
  await expect(played).rejects.toThrow(/boom/);
  expect(onClose).toHaveBeenCalledTimes(1);
});

test('send tells when the network is behind, and drained when it is not', async () => {
  let peer: Socket | undefined;
  const url = await scripted((socket) => {
    peer = socket;
    socket.write(ready);
  });
  const client = await RtmpClient.connect(url);
  peer?.pause();
  const message = { type: 9, timestamp: 0, payload: Buffer.alloc(1_000_000) } as const;
  let sent = 0;
  while (client.send(message) || client.queuedBytes === 0) sent++;
  expect(sent).toBeLessThan(100);
  expect(client.queuedBytes).toBeGreaterThan(0);
  peer?.resume();
  await client.drained();
  expect(client.queuedBytes).toBe(0);
  await client.drained();
  await client.close();
  expect(client.send(message)).toBe(false);
  await client.drained();
});

test('close does not wait for a server that reads no more', async () => {
  let peer: Socket | undefined;
  const url = await scripted((socket) => {
    peer = socket;
    socket.write(ready);
  });
  const client = await RtmpClient.connect(url);
  peer?.pause();
  while (client.send({ type: 9, timestamp: 0, payload: Buffer.alloc(1_000_000) }) || client.queuedBytes === 0);
  await client.close();
  await client.close();
});

test('a signal drops the connection at whatever step', async () => {
  const silent = await scripted((socket) => socket.resume());
  const giveUp = new AbortController();
  const connecting = expect(RtmpClient.connect(silent, { signal: giveUp.signal })).rejects.toMatchObject({
    code: 'closed',
    message: 'the connection was given up',
  });
  giveUp.abort();
  await connecting;
  await expect(RtmpClient.connect(silent, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'closed' });
  const hangUp = new AbortController();
  const onClose = vi.fn();
  const url = await scripted((socket) => socket.write(ready));
  const client = await RtmpClient.connect(url, { signal: hangUp.signal, onClose });
  hangUp.abort();
  await vi.waitFor(() => expect(onClose).toHaveBeenCalledTimes(1));
  expect(client.send({ type: 9, timestamp: 0, payload: Buffer.alloc(1) })).toBe(false);
});

test('a refusal has the word that the server has for it', async () => {
  const url = await scripted((socket) => socket.write(ready));
  const client = await RtmpClient.connect(url);
  const played = client.play(() => undefined);
  const refusal = { level: 'error', code: 'NetStream.Play.StreamNotFound', description: 'no such stream' } as const;
  for (const socket of sockets) socket.write(encodeStatus(1, 128, refusal));
  await expect(played).rejects.toMatchObject({ code: 'refused', status: 'NetStream.Play.StreamNotFound' });
});

test('what is encoded elsewhere goes out on the message stream that the server gave', async () => {
  const url = await scripted((socket) =>
    socket.write(
      Buffer.concat([
        hello,
        encodeCommand(0, 128, '_result', 1, null, {}),
        encodeCommand(0, 128, '_result', 4, null, 7),
      ]),
    ),
  );
  const { line } = await RtmpClient.connect(url);
  expect([line.messageStreamId, line.chunkSize, line.socket.writable]).toEqual([7, 65_536, true]);
});

test.each(['NetStream.Play.Stop', 'NetStream.Play.Complete'])('%s is the end', async (code) => {
  const url = await scripted((socket) => socket.write(ready));
  const onEnd = vi.fn();
  const client = await RtmpClient.connect(url);
  const played = client.play(() => undefined, { onEnd });
  for (const socket of sockets) socket.write(playing);
  await played;
  for (const socket of sockets) socket.write(encodeStatus(1, 128, { level: 'status', code, description: '' }));
  await vi.waitFor(() => expect(onEnd).toHaveBeenCalledTimes(1));
});
