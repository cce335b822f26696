import type { Socket } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { RtmpClient } from '../client/client.js';
import { encodeMessage } from '../wire/chunk-writer.js';
import { MESSAGE_TYPE } from '../wire/message.js';
import type { RtmpHandlers, RtmpPlayer, RtmpPublisher, RtmpStreamRequest } from './handlers.js';
import { type RtmpHandOver, RtmpServer } from './server.js';

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined };
const ends: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

function makeServer(play: RtmpHandlers['play'], options: { handOver?: RtmpHandOver; perIp?: number } = {}) {
  const publish = vi.fn(async (): Promise<RtmpPublisher> => ({ message: () => undefined, closed: () => undefined }));
  const server = new RtmpServer({
    handlers: { publish, play },
    log: silent,
    limits: { maxConnectionsPerIp: options.perIp ?? 100 },
    handOver: options.handOver,
  });
  ends.push(() => server.close());
  return { server, publish };
}

const unasked = vi.fn(async (): Promise<RtmpPlayer> => {
  throw new Error('this one plays nothing');
});

async function client(url: string): Promise<RtmpClient> {
  const made = await RtmpClient.connect(url, { timeoutMs: 5000 });
  ends.push(() => made.destroy());
  return made;
}

/** Two servers, of which the one that listens gives its players to the other. */
async function makePair(perIp?: number) {
  const requests: RtmpStreamRequest[] = [];
  const sockets: Socket[] = [];
  const other = makeServer(async (request) => {
    requests.push(request);
    return {
      start: ({ socket, messageStreamId, chunkSize }) => {
        const header = { chunkStreamId: 4, type: MESSAGE_TYPE.audio, timestamp: 40, messageStreamId };
        socket.write(encodeMessage(header, chunkSize, Buffer.from('sound')));
      },
      closed: () => undefined,
    };
  });
  const gone: (() => void)[] = [];
  const first = makeServer(unasked, {
    ...(perIp === undefined ? {} : { perIp }),
    handOver: (socket, received, release) => {
      sockets.push(socket);
      gone.push(release);
      other.server.accept(socket, received);
      return true;
    },
  });
  const { port } = await first.server.listen(0, '127.0.0.1');
  return { first, other, requests, sockets, gone, url: `rtmp://127.0.0.1:${port}/live/show?key=a` };
}

describe('handing connections over', () => {
  test('a player goes on at the other server, with what it has said at the first', async () => {
    const { first, requests, url } = await makePair();
    const got: string[] = [];
    const player = await client(url);
    await player.play(({ payload }) => got.push(payload.toString()));
    await vi.waitFor(() => expect(got).toContain('sound'));
    expect(requests[0]).toMatchObject({ app: 'live', stream: 'show' });
    expect(requests[0]?.query.get('key')).toBe('a');
    expect(first.server.connections).toBe(0);
  });

  test('an encoder stays', async () => {
    const { first, sockets, url } = await makePair();
    const encoder = await client(url);
    await encoder.publish();
    expect([first.publish.mock.calls.length, sockets.length, first.server.connections]).toEqual([1, 0, 1]);
  });

  test('those that were handed over count until they are gone', async () => {
    const { gone, url } = await makePair(1);
    const player = await client(url);
    await player.play(() => undefined);
    await expect(client(url)).rejects.toThrow();
    for (const release of gone) release();
    await client(url);
  });

  test('a player stays where nobody takes it', async () => {
    const played = vi.fn(async (): Promise<RtmpPlayer> => ({ start: () => undefined, closed: () => undefined }));
    const { server } = makeServer(played, { handOver: () => false });
    const { port } = await server.listen(0, '127.0.0.1');
    const player = await client(`rtmp://127.0.0.1:${port}/live/show`);
    await player.play(() => undefined);
    expect([played.mock.calls.length, server.connections]).toEqual([1, 1]);
  });

  test('one that the other server can not read is ended there', async () => {
    const { server } = makeServer(unasked);
    const { server: listener } = makeServer(unasked, {
      handOver: (socket) => {
        server.accept(socket, Buffer.from('no RTMP'));
        return true;
      },
    });
    const { port } = await listener.listen(0, '127.0.0.1');
    const player = await client(`rtmp://127.0.0.1:${port}/live/show`);
    await expect(player.play(() => undefined)).rejects.toThrow();
    await vi.waitFor(() => expect(server.connections).toBe(0));
  });
});
