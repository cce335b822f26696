import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { type AmfValue, encodeAmf0 } from '@sluice/media';
import { encodeMessage, RtmpClient } from '@sluice/rtmp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeClip } from './support/clip.js';
import { ClipPublisher } from './support/publisher.js';
import { type LogLine, startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';
import { httpFlvViewer, type TestViewer } from './support/viewers.js';

/** C0, C1 and C2 of a client that doesn't look at the answers. */
const HANDSHAKE = Buffer.concat([Buffer.from([3]), Buffer.alloc(1536 * 2)]);

const command = (...values: readonly AmfValue[]) =>
  encodeMessage({ chunkStreamId: 3, type: 20, timestamp: 0, messageStreamId: 0 }, 128, encodeAmf0(...values));
const CONNECT = command('connect', 1, { app: 'live', tcUrl: 'rtmp://x/live' });

describe('bad input', () => {
  let sluice: TestServer;
  let publisher: ClipPublisher;
  let witness: TestViewer;
  const sockets: Socket[] = [];

  beforeAll(async () => {
    sluice = await startServer(
      'rtmp: { handshakeSeconds: 1, maxMessageBytes: 1000000 }\nviewers: { waitForStreamSeconds: 0 }',
    );
    publisher = await ClipPublisher.start(`${sluice.rtmp}/live/witness`, await makeClip('h264', 2), { loop: true });
    witness = await httpFlvViewer(`${sluice.http}/live/witness.flv`);
    await until('the witness sees something', () => witness.samples.length > 20);
  });

  afterAll(async () => {
    // Whatever came, one who watched all the time has seen each frame.
    const times = witness.samples.filter((sample) => sample.kind === 'video').map((sample) => sample.dts);
    expect(times.slice(1).filter((time, index) => time - (times[index] ?? 0) > 60_000)).toEqual([]);
    expect(witness.ended).toBe(false);
    expect(sluice.log.filter((line) => line.level === 'error')).toEqual([]);
    await witness.leave();
    await publisher.stop();
    for (const socket of sockets) socket.destroy();
    await sluice.stop();
  });

  /** Sends bytes to the RTMP port and waits until the server has closed the connection. */
  async function sendRtmp(...parts: readonly Buffer[]): Promise<LogLine> {
    const seen = sluice.log.length;
    const { hostname, port } = new URL(sluice.rtmp.replace('rtmp', 'http'));
    const socket = connect(Number(port), hostname);
    sockets.push(socket);
    let closed = false;
    socket.on('close', () => {
      closed = true;
    });
    socket.on('error', () => undefined);
    socket.resume();
    for (const part of parts) socket.write(part);
    await until('the server closes the connection', () => closed);
    const line = sluice.log.slice(seen).find((candidate) => candidate.msg === 'RTMP connection ended');
    if (line === undefined) throw new Error('nothing was logged');
    return line;
  }

  const deepAmf = Buffer.concat([...Array(200)].map(() => Buffer.from('03000161', 'hex')));
  const hugeArray = Buffer.concat([encodeAmf0('onMetaData', 0), Buffer.from('0affffffff', 'hex')]);
  const message = (type: number, payload: Buffer, size = 128) =>
    encodeMessage({ chunkStreamId: 4, type, timestamp: 0, messageStreamId: 1 }, size, payload);

  it.each([
    ['an HTTP request', [Buffer.from('GET / HTTP/1.1\r\n\r\n')], 'handshake'],
    ['random bytes behind a handshake', [HANDSHAKE, Buffer.alloc(5000, 0xe7)], /malformed|too-large/],
    ['half a handshake', [HANDSHAKE.subarray(0, 700)], 'time-out'],
    ['a handshake and silence', [HANDSHAKE], 'time-out'],
    ['connect and silence', [HANDSHAKE, CONNECT], 'time-out'],
    [
      'a message larger than allowed',
      [HANDSHAKE, CONNECT, Buffer.from('04000000ffffff0901000000', 'hex')],
      'too-large',
    ],
    ['a chunk size of 0', [HANDSHAKE, Buffer.from('0200000000000401000000000000000000', 'hex')], 'malformed'],
    ['an AMF bomb', [HANDSHAKE, message(20, deepAmf)], 'too-large'],
    ['an AMF array of 4 billion values', [HANDSHAKE, message(20, hugeArray)], 'truncated'],
    ['a command before connect', [HANDSHAKE, command('publish', 1, null, 'x')], 'malformed'],
  ] as const)('%s ends the connection with a logged reason', async (_, parts, reason) => {
    const line = await sendRtmp(...parts);
    expect(line.ip).toBe('127.0.0.1');
    expect(line.connection).toMatch(/^[0-9a-f]{12}$/);
    if (typeof reason === 'string') expect(line.reason).toBe(reason);
    else expect(line.reason).toMatch(reason);
  });

  it.each([
    ['a frame before its sequence header', 9, Buffer.from('1701000000000000026588', 'hex'), 'no-config'],
    ['a codec that nobody knows', 9, Buffer.from('9078787878', 'hex'), 'unsupported'],
    ['a sequence header that is cut off', 9, Buffer.from('170000000001640028ffe1', 'hex'), 'truncated'],
    ['a NAL unit length past the end', 8, Buffer.from('af0012', 'hex'), 'truncated'],
  ] as const)('a publisher that sends %s is ended with a logged reason', async (_, type, payload, reason) => {
    const seen = sluice.log.length;
    const client = await RtmpClient.connect(`${sluice.rtmp}/live/broken`);
    await client.publish();
    client.send({ type, timestamp: 0, payload });
    await until('it is logged', () =>
      sluice.log.slice(seen).some((line) => line.msg === 'RTMP connection ended' && line.reason === reason),
    );
    client.destroy();
  });

  it('negative and leaping timestamps are mended', async () => {
    const clip = await makeClip('h264', 1);
    const client = await RtmpClient.connect(`${sluice.rtmp}/live/times`);
    await client.publish();
    client.destroy();
    const wild = { events: clip.events, samples: clip.samples };
    const encoder = await ClipPublisher.start(`${sluice.rtmp}/live/times`, wild);
    const viewer = await httpFlvViewer(`${sluice.http}/live/times.flv`);
    const audio = (timestamp: number) =>
      encoder.client.send({ type: 8, timestamp: timestamp >>> 0, payload: Buffer.from('af01211000', 'hex') });
    await until('it plays', () => viewer.samples.length > 20);
    for (const time of [-5000, 4_000_000_000, 0, -1, 2 ** 31, 77]) audio(time);
    await until('they came', () => viewer.samples.filter((sample) => sample.data.length === 3).length === 6);
    const times = viewer.samples.filter((sample) => sample.kind === 'audio').map((sample) => sample.dts);
    expect(times.slice(1).filter((time, index) => time <= (times[index] ?? 0))).toEqual([]);
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeLessThan(20_000_000);
    await viewer.leave();
    await encoder.stop();
  });

  it.each([
    ['..', 'live/..'],
    ['a slash at the end', 'live/a//b'],
    ['NUL', 'live/a%00b'],
    ['10 kB', `live/${'a'.repeat(10_000)}`],
    ['markup', 'live/%3Cscript%3E'],
    ['a leading dot', 'live/.hidden'],
    ["a word of the server's own", 'player/show'],
  ])('a stream name with %s is refused everywhere', async (_, path) => {
    const response = await fetch(`${sluice.http}/${path}.flv`);
    expect([400, 404, 431]).toContain(response.status);
    if (response.status === 400) {
      expect(await response.json()).toMatchObject({ error: { code: 'bad-name' } });
    }
    const playlist = await fetch(`${sluice.http}/${path}.m3u8`);
    expect([400, 404, 431]).toContain(playlist.status);
  });

  it.each([
    ['..', '..'],
    ['a climb', 'a/../b'],
    ['NUL', 'a\0b'],
    ['a leading dot', '.hidden'],
    ['a space', 'a b'],
    ['nothing', ''],
    ['a letter that is not ASCII', 'ü'],
    ['3,000 characters', 'a'.repeat(3000)],
  ])('RTMP refuses to publish a name of %s, and says why', async (_, name) => {
    const reply = await askToPublish(name);
    expect(reply).toMatch(/NetStream\.Publish\.BadName|NetConnection\.Connect\.Rejected|NetStream\.Publish\.Denied/);
    expect(sluice.server.ports.rtmp).toBeGreaterThan(0);
  });

  /** Publishes a name by hand, since the client takes no such URL. @returns the status code that came back */
  function askToPublish(name: string): Promise<string> {
    const { hostname, port } = new URL(sluice.rtmp.replace('rtmp', 'http'));
    return new Promise((resolve, reject) => {
      const socket = connect(Number(port), hostname);
      sockets.push(socket);
      let received = '';
      socket.on('data', (bytes) => {
        received += bytes.toString('latin1');
      });
      socket.on('error', reject);
      socket.on('close', () =>
        resolve(/Net(?:Stream|Connection)\.(?!Connect\.Success)[A-Za-z.]+/.exec(received)?.[0] ?? received.slice(-200)),
      );
      socket.write(
        Buffer.concat([
          HANDSHAKE,
          CONNECT,
          command('createStream', 2, null),
          command('publish', 3, null, name, 'live'),
        ]),
      );
    });
  }

  it('500 connections of garbage leave nothing behind', async () => {
    const { hostname, port } = new URL(sluice.rtmp.replace('rtmp', 'http'));
    const httpPort = Number(new URL(sluice.http).port);
    let open = 0;
    for (let index = 0; index < 500; index++) {
      const socket = connect(index % 2 === 0 ? Number(port) : httpPort, hostname);
      open += 1;
      socket.on('close', () => {
        open -= 1;
      });
      socket.on('error', () => undefined);
      socket.resume();
      socket.end(Buffer.concat([index % 4 === 0 ? HANDSHAKE : Buffer.alloc(0), randomBytes(index * 3)]));
    }
    await until('all are closed', () => open === 0);
    const { streams } = (await (await fetch(`${sluice.http}/status/streams`)).json()) as {
      streams: { path: string }[];
    };
    expect(
      streams.filter(({ path }) => path !== 'live/witness' && path !== 'live/times' && path !== 'live/broken'),
    ).toEqual([]);
  });

  it('what is wrong about an HTTP request is answered, never with a stack', async () => {
    for (const [method, path, status] of [
      ['POST', '/live/show.flv', 405],
      ['GET', '/nothing', 404],
      ['GET', '/live/none.m3u8', 404],
      ['GET', '/live/none.flv', 404],
      ['GET', '/live/show/hls/..%2f..%2fetc%2fpasswd', 404],
      ['GET', '/assets/..%2f..%2fpackage.json', 404],
      ['GET', '/status/streams/..%2f', 400],
    ] as const) {
      const response = await fetch(`${sluice.http}${path}`, { method });
      const body = await response.text();
      expect([path, response.status]).toEqual([path, status]);
      expect(body).toMatch(/^\{"error":\{"code":"[a-z-]+","message":/);
    }
  });
});
