import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { MediaError } from '@sluice/media';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { RtmpClient } from '../client/client.js';
import { RtmpRefusal } from '../errors.js';
import { encodeMessage } from '../wire/chunk-writer.js';
import { encodeCommand } from '../wire/command.js';
import { userControl } from '../wire/control.js';
import { beginHandshake, HANDSHAKE_SIZE } from '../wire/handshake.js';
import type { RtmpMediaMessage } from '../wire/message.js';
import type {
  RtmpConnectionControl,
  RtmpHandlers,
  RtmpPlayer,
  RtmpPlayOutput,
  RtmpPublisher,
  RtmpStreamRequest,
} from './handlers.js';
import type { RtmpLimits } from './limits.js';
import { RtmpServer } from './server.js';

interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

const ends: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A server with handlers of one's choice, its log in memory. */
async function serve(handlers: Partial<RtmpHandlers>, limits: Partial<RtmpLimits> = {}) {
  const lines: LogLine[] = [];
  const record = (level: string) => (fields: object, message: string) => lines.push({ level, message, ...fields });
  const server = new RtmpServer({
    handlers: { publish: refuse, play: refuse, ...handlers },
    limits,
    log: { debug: record('debug'), info: record('info'), warn: record('warn') },
  });
  const { port } = await server.listen(0, '127.0.0.1');
  ends.push(() => server.close());
  return { server, port, lines, url: `rtmp://127.0.0.1:${port}/live/show` };
}

const refuse = async (): Promise<never> => {
  throw new RtmpRefusal('NetStream.Play.StreamNotFound', 'nothing here');
};

async function client(url: string, options = {}): Promise<RtmpClient> {
  const made = await RtmpClient.connect(url, { timeoutMs: 5000, ...options });
  ends.push(() => made.destroy());
  return made;
}

async function raw(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => socket.destroy());
  ends.push(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** A handler that tells when it was asked, and answers when it is told. */
function held<T>(answer: T) {
  let open = () => {};
  const released = new Promise<void>((resolve) => {
    open = resolve;
  });
  const asked = vi.fn();
  const handler = async () => {
    asked();
    await released;
    return answer;
  };
  return { handler, asked, release: () => open() };
}

/** A publisher that keeps what it gets. */
class Sink implements RtmpPublisher {
  readonly messages: RtmpMediaMessage[] = [];
  readonly ends: string[] = [];

  message(message: RtmpMediaMessage): void {
    this.messages.push(message);
  }

  closed(reason: string): void {
    this.ends.push(reason);
  }
}

/** A player that does nothing by itself. */
class Screen implements RtmpPlayer {
  readonly outputs: RtmpPlayOutput[] = [];
  readonly receptions: [boolean, boolean][] = [];
  readonly ends: string[] = [];

  start(output: RtmpPlayOutput): void {
    this.outputs.push(output);
  }

  receive(audio: boolean, video: boolean): void {
    this.receptions.push([audio, video]);
  }

  closed(reason: string): void {
    this.ends.push(reason);
  }
}

const video = (timestamp: number): RtmpMediaMessage => ({ type: 9, timestamp, payload: Buffer.alloc(3000, 0x17) });

describe('publishing', () => {
  test('messages come through in order, and the request tells who publishes', async () => {
    const sink = new Sink();
    const requests: RtmpStreamRequest[] = [];
    const { url, lines } = await serve({
      publish: async (request) => {
        requests.push(request);
        return sink;
      },
    });
    const publisher = await client(`${url}?key=secret`);
    await publisher.publish();
    const sent = [0, 40, 0xffff_fff0, 7].map(video);
    for (const message of sent) publisher.send(message);
    await vi.waitFor(() => expect(sink.messages).toHaveLength(4));
    expect(sink.messages).toEqual(sent);
    await publisher.close();
    await vi.waitFor(() => expect(sink.ends).toHaveLength(1));
    expect(requests[0]).toMatchObject({ app: 'live', stream: 'show' });
    expect(requests[0]?.query.get('key')).toBe('secret');
    expect(requests[0]?.connection).toMatchObject({ remoteAddress: '127.0.0.1', encrypted: false, app: 'live' });
    expect(JSON.stringify(lines)).not.toContain('secret');
  });

  test('what comes before the answer waits for it', async () => {
    const sink = new Sink();
    const { handler, asked, release } = held(sink);
    const { url } = await serve({ publish: handler });
    const publisher = await client(url);
    const published = publisher.publish();
    for (let time = 0; time < 200; time++) publisher.send(video(time));
    await vi.waitFor(() => expect(asked).toHaveBeenCalled());
    expect(sink.messages).toHaveLength(0);
    release();
    await published;
    await vi.waitFor(() => expect(sink.messages).toHaveLength(200));
    expect(sink.messages.map(({ timestamp }) => timestamp)).toEqual(Array.from({ length: 200 }, (_, time) => time));
  });

  test('what comes before the answer stays in the kernel', async () => {
    const { handler, asked, release } = held(new Sink());
    let control: RtmpConnectionControl | undefined;
    const { url } = await serve({
      publish: (_, given) => {
        control = given;
        return handler();
      },
      play: async () => new Screen(),
    });
    const publisher = await client(url);
    const published = publisher.publish();
    await vi.waitFor(() => expect(asked).toHaveBeenCalled());
    for (let count = 0; count < 20; count++)
      publisher.send({ type: 9, timestamp: 0, payload: Buffer.alloc(1_000_000) });
    // Other connections are served meanwhile, so there was time to read.
    for (let count = 0; count < 5; count++) await (await client(url)).play(() => {});
    expect(control?.bytesReceived()).toBeLessThan(1_000_000);
    release();
    await published;
    await vi.waitFor(() => expect(control?.bytesReceived()).toBeGreaterThan(20_000_000));
  });

  test('a refusal reaches the client', async () => {
    const { url, server } = await serve({
      publish: async () => {
        throw new RtmpRefusal('NetStream.Publish.BadName', 'the name is taken');
      },
    });
    const publisher = await client(url);
    await expect(publisher.publish()).rejects.toThrow(/NetStream.Publish.BadName: the name is taken/);
    await vi.waitFor(() => expect(server.connections).toBe(0));
  });

  test.each([
    ['a MediaError', new MediaError('no-config', 'no sequence header'), 'no-config'],
    ['any error', new Error('boom'), 'internal'],
  ])('%s in the publisher ends that connection only', async (_, error, reason) => {
    const closed = vi.fn();
    const good = new Sink();
    const { url, lines } = await serve({
      publish: async ({ stream }) =>
        stream === 'good'
          ? good
          : {
              closed,
              message: () => {
                throw error;
              },
            },
    });
    const other = await client(url.replace('show', 'good'));
    await other.publish();
    const gone = vi.fn();
    const publisher = await client(url, { onClose: gone });
    await publisher.publish();
    publisher.send(video(0));
    await vi.waitFor(() => expect(gone).toHaveBeenCalledTimes(1));
    expect(closed).toHaveBeenCalledTimes(1);
    expect(lines.filter(({ level }) => level === 'warn')).toMatchObject([
      { reason, detail: error.message, ip: '127.0.0.1' },
    ]);
    other.send(video(1));
    await vi.waitFor(() => expect(good.messages).toHaveLength(1));
  });

  test('an error with the first messages ends the connection too', async () => {
    const closed = vi.fn();
    const { handler, asked, release } = held<RtmpPublisher>({ closed, message: () => expect.unreachable() });
    const { url, server } = await serve({ publish: handler });
    const publisher = await client(url);
    const published = publisher.publish().catch(() => undefined);
    publisher.send(video(0));
    await vi.waitFor(() => expect(asked).toHaveBeenCalled());
    release();
    await published;
    await vi.waitFor(() => expect(server.connections).toBe(0));
    expect(closed).toHaveBeenCalledTimes(1);
  });

  test('a client that left before the answer is closed', async () => {
    const sink = new Sink();
    const { handler, asked, release } = held(sink);
    const { url, server } = await serve({ publish: handler });
    const publisher = await client(url);
    publisher.publish().catch(() => undefined);
    await vi.waitFor(() => expect(asked).toHaveBeenCalled());
    publisher.destroy();
    release();
    await vi.waitFor(() => expect(sink.ends).toHaveLength(1));
    await vi.waitFor(() => expect(server.connections).toBe(0));
  });

  test('the owner may cut it, and throw while it is closed', async () => {
    let control: RtmpConnectionControl | undefined;
    const { url, lines, server } = await serve({
      publish: async (_, given) => {
        control = given;
        return {
          message: () => {},
          closed: () => {
            throw new Error('late');
          },
        };
      },
    });
    const gone = vi.fn();
    const publisher = await client(url, { onClose: gone });
    await publisher.publish();
    control?.end('kicked');
    await vi.waitFor(() => expect(gone).toHaveBeenCalledTimes(1));
    await vi.waitFor(() => expect(server.connections).toBe(0));
    expect(lines).toContainEqual(expect.objectContaining({ level: 'warn', detail: 'Error: late' }));
    expect(control?.bytesReceived()).toBeGreaterThan(3000);
  });

  test('one that sends nothing is taken for dead', async () => {
    const sink = new Sink();
    const { url } = await serve({ publish: async () => sink }, { publisherIdleMs: 50 });
    const publisher = await client(url);
    await publisher.publish();
    await vi.waitFor(() => expect(sink.ends).toEqual([expect.stringContaining('sent nothing')]));
  });

  test('one that sends goes on', async () => {
    const sink = new Sink();
    const { url } = await serve({ publish: async () => sink }, { publisherIdleMs: 400 });
    const publisher = await client(url);
    await publisher.publish();
    await vi.waitFor(
      () => {
        publisher.send(video(0));
        expect(sink.messages.length).toBeGreaterThan(12);
      },
      { interval: 80, timeout: 5000 },
    );
    expect(sink.ends).toEqual([]);
  });

  test('a client that can is asked to connect anew', async () => {
    const asked = vi.fn();
    let control: RtmpConnectionControl | undefined;
    const { url } = await serve({
      publish: async (_, given) => {
        control = given;
        return new Sink();
      },
    });
    const publisher = await client(url, { onReconnectRequest: asked });
    await publisher.publish();
    control?.reconnect('update', 'rtmp://other/live');
    await vi.waitFor(() => expect(asked).toHaveBeenCalledWith('rtmp://other/live', 'update'));
  });
});

describe('playing', () => {
  test('whole chunks on the socket become messages', async () => {
    const screen = new Screen();
    const { url } = await serve({ play: async () => screen });
    const got: RtmpMediaMessage[] = [];
    const onEnd = vi.fn();
    const player = await client(url);
    await player.play((message) => got.push(message), { onEnd });
    const [output] = screen.outputs;
    expect(output?.messageStreamId).toBe(1);
    const { type, timestamp, payload } = video(0x0100_0000);
    const header = { chunkStreamId: 6, type, timestamp, messageStreamId: 1 };
    const large = Buffer.alloc(200_000, 1);
    output?.socket.write(encodeMessage(header, output.chunkSize, payload));
    output?.socket.write(encodeMessage(header, output.chunkSize, large));
    await vi.waitFor(() => expect(got.filter(({ type }) => type === 9)).toHaveLength(2));
    expect(got.at(-1)?.payload.equals(large)).toBe(true);
    output?.end('the stream has ended');
    await vi.waitFor(() => expect(onEnd).toHaveBeenCalledTimes(1));
    await vi.waitFor(() => expect(screen.ends).toEqual(['the stream has ended']));
  });

  test('a player that leaves while it waits aborts the question', async () => {
    let signal: AbortSignal | undefined;
    const { url } = await serve({
      play: ({ signal: given }) => {
        signal = given;
        return new Promise(() => {});
      },
    });
    const player = await client(url);
    player.play(() => {}).catch(() => undefined);
    await vi.waitFor(() => expect(signal).toBeDefined());
    expect(signal?.aborted).toBe(false);
    player.destroy();
    await vi.waitFor(() => expect(signal?.aborted).toBe(true));
  });

  test('a player that left while it waited is closed when the answer comes', async () => {
    const screen = new Screen();
    const { handler, asked, release } = held(screen);
    const { url, server } = await serve({ play: handler });
    const player = await client(url);
    player.play(() => {}).catch(() => undefined);
    await vi.waitFor(() => expect(asked).toHaveBeenCalled());
    player.destroy();
    await vi.waitFor(() => expect(server.connections).toBe(0));
    release();
    await vi.waitFor(() => expect(screen.ends).toEqual(['the client left']));
    expect(screen.outputs).toEqual([]);
  });

  test('a play that was given up does not disturb the next one', async () => {
    const screen = new Screen();
    const { port, server } = await serve({
      play: ({ stream, signal }) =>
        stream === 'second'
          ? Promise.resolve(screen)
          : new Promise((_, reject) => {
              signal.addEventListener('abort', () => reject(new RtmpRefusal('NetStream.Play.StreamNotFound', 'gone')));
            }),
    });
    const socket = await raw(port);
    socket.resume();
    socket.write(Buffer.concat([beginHandshake(randomBytes), randomBytes(HANDSHAKE_SIZE)]));
    socket.write(encodeCommand(0, 128, 'connect', 1, { app: 'live' }));
    socket.write(encodeCommand(1, 128, 'play', 0, null, 'first'));
    socket.write(encodeCommand(1, 128, 'closeStream', 0, null));
    socket.write(encodeCommand(1, 128, 'receiveVideo', 0, null, false));
    socket.write(encodeCommand(1, 128, 'play', 0, null, 'second'));
    await vi.waitFor(() => expect(screen.outputs).toHaveLength(1));
    socket.write(encodeCommand(1, 128, 'receiveVideo', 0, null, false));
    await vi.waitFor(() => expect(screen.receptions).toEqual([[true, false]]));
    expect(server.connections).toBe(1);
    expect(screen.ends).toEqual([]);
  });

  test('a player that leaves is closed once', async () => {
    const screen = new Screen();
    const { url, server } = await serve({ play: async () => screen });
    const player = await client(url);
    await player.play(() => {});
    player.destroy();
    await vi.waitFor(() => expect(server.connections).toBe(0));
    expect(screen.ends).toHaveLength(1);
  });

  test('one that asks for pings and never reads the answers is dropped', async () => {
    const { port, lines } = await serve({});
    const socket = await raw(port);
    socket.pause();
    socket.write(Buffer.concat([beginHandshake(randomBytes), randomBytes(HANDSHAKE_SIZE)]));
    const pings = Buffer.concat(Array.from({ length: 4000 }, () => userControl(6, 1)));
    const flood = () => {
      while (!socket.destroyed && socket.write(pings));
    };
    socket.on('drain', flood);
    flood();
    await vi.waitFor(() => expect(lines).toContainEqual(expect.objectContaining({ reason: 'too-large' })), 10_000);
  });
});

describe('what nobody asked for', () => {
  test('half a handshake, or nothing, is ended in time', async () => {
    const { port, server, lines } = await serve({}, { handshakeMs: 100 });
    const half = await raw(port);
    half.write(beginHandshake(randomBytes).subarray(0, 700));
    const silent = await raw(port);
    const connected = await raw(port);
    connected.write(Buffer.concat([beginHandshake(randomBytes), randomBytes(HANDSHAKE_SIZE)]));
    connected.write(encodeCommand(0, 128, 'connect', 1, { app: 'live' }));
    await vi.waitFor(() => expect(server.connections).toBe(0));
    await vi.waitFor(() => expect([half.destroyed, silent.destroyed]).toEqual([true, true]));
    const stages = lines.filter(({ reason }) => reason === 'time-out').map(({ stage }) => stage);
    expect(stages.sort()).toEqual(['connected', 'handshake', 'handshake']);
  });

  test('more connections than are allowed from one address are dropped', async () => {
    const { port, server, lines } = await serve({}, { maxConnectionsPerIp: 2 });
    const first = await raw(port);
    await raw(port);
    await vi.waitFor(() => expect(server.connections).toBe(2));
    const third = await raw(port);
    await once(third, 'close');
    expect(lines).toMatchObject([{ reason: 'too-many-connections', fromIp: 2 }]);
    first.destroy();
    await vi.waitFor(() => expect(server.connections).toBe(1));
    await raw(port);
    await vi.waitFor(() => expect(server.connections).toBe(2));
  });

  test('a malformed tcUrl is answered with a reason', async () => {
    const { port, lines } = await serve({});
    const socket = await raw(port);
    const heard: Buffer[] = [];
    socket.on('data', (bytes) => heard.push(bytes));
    socket.write(Buffer.concat([beginHandshake(randomBytes), randomBytes(HANDSHAKE_SIZE)]));
    socket.write(encodeCommand(0, 128, 'connect', 1, { app: 'live', tcUrl: '%%%' }));
    await once(socket, 'close');
    expect(Buffer.concat(heard).toString('latin1')).toContain('NetConnection.Connect.Rejected');
    expect(lines).toMatchObject([{ level: 'info', reason: 'refused: tcUrl is no RTMP URL' }]);
  });

  test('1,000 connections with garbage are ended, and a stream goes on beside them', async () => {
    const sink = new Sink();
    const { url, port, server, lines } = await serve({ publish: async () => sink }, { handshakeMs: 1000 });
    const publisher = await client(url);
    await publisher.publish();
    const hello = Buffer.concat([beginHandshake(randomBytes), randomBytes(HANDSHAKE_SIZE)]);
    const oversized = encodeMessage({ chunkStreamId: 3, type: 20, timestamp: 0, messageStreamId: 0 }, 128);
    oversized.writeUIntBE(0xff_ffff, 4, 3);
    const kinds = [
      () => randomBytes(200),
      () => Buffer.concat([hello, randomBytes(3000)]),
      () => Buffer.concat([hello, oversized]),
      () => Buffer.concat([hello, encodeCommand(0, 65_536, 'x'.repeat(40_000), 1)]),
      () => Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    ];
    for (let batch = 0; batch < 10; batch++) {
      const sockets = Array.from({ length: 100 }, (_, index) => {
        const socket = connect(port, '127.0.0.1', () => socket.write(kinds[index % kinds.length]!()));
        socket.on('error', () => socket.destroy());
        return socket;
      });
      publisher.send(video(batch));
      await Promise.all(
        sockets.map((socket) => (socket.closed ? undefined : new Promise((done) => socket.on('close', done)))),
      );
    }
    await vi.waitFor(() => expect(server.connections).toBe(1));
    await vi.waitFor(() => expect(sink.messages).toHaveLength(10));
    expect(lines).toHaveLength(1000);
    expect(new Set(lines.map(({ reason }) => reason))).not.toContain('internal');
  });
});

test('close ends all politely and resolves, and may be called again', async () => {
  const screen = new Screen();
  const sink = new Sink();
  const { url, port, server } = await serve({ publish: async () => sink, play: async () => screen });
  const onEnd = vi.fn();
  await (await client(url)).play(() => {}, { onEnd });
  await (await client(url)).publish();
  const silent = await raw(port);
  await vi.waitFor(() => expect(server.connections).toBe(3));
  await server.close();
  await server.close();
  await vi.waitFor(() => expect(silent.closed).toBe(true));
  expect(onEnd).toHaveBeenCalledTimes(1);
  expect([screen.ends, sink.ends]).toEqual([['the server is going down'], ['the server is going down']]);
  await expect(RtmpClient.connect(url)).rejects.toThrow(/ECONNREFUSED/);
});

test('a port that is taken rejects', async () => {
  const { port, server } = await serve({});
  const other = new RtmpServer({
    handlers: { publish: refuse, play: refuse },
    log: { debug: () => {}, info: () => {}, warn: () => {} },
  });
  await expect(other.listen(port, '127.0.0.1')).rejects.toThrow(/EADDRINUSE/);
  expect(server.connections).toBe(0);
});
