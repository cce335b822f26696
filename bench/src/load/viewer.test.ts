import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { encodeFlvTag, type FlvTag, flvFileHeader } from '@sluice/media';
import { encodeMessage, type RtmpPlayOutput, RtmpRefusal, RtmpServer } from '@sluice/rtmp';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Histogram } from '../histogram.js';
import { publish } from '../publisher.js';
import { markAccessUnit } from '../sei-mark.js';
import { createSharedBuffers, viewShared } from './shared.js';
import { Viewer, type ViewerContext } from './viewer.js';

const key = Buffer.from('17010000000000000265aa', 'hex');
const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function contextFor(url: string): ViewerContext {
  const shared = viewShared(createSharedBuffers(1));
  shared.window[0] = 0;
  return { url, index: 0, shared, latencies: new Histogram(), readBuffer: Buffer.alloc(64) };
}

function view(context: ViewerContext): Viewer {
  const viewer = new Viewer(context);
  closers.push(() => viewer.close());
  return viewer;
}

/** Answers /live/a.flv with two marked frames in chunked coding, and all else with 404. */
async function startHttp(): Promise<string> {
  const server = createServer((request, response) => {
    if (request.url !== '/live/a.flv?k=v') {
      response.writeHead(404).end();
      return;
    }
    response.write(flvFileHeader({ audio: false, video: true }));
    for (const sequence of [1, 2]) response.write(encodeFlvTag(9, sequence, markAccessUnit(key, sequence)));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Relays what is published to whoever plays, and refuses the stream `secret`. */
async function startRtmp(): Promise<string> {
  const outputs = new Set<RtmpPlayOutput>();
  const server = new RtmpServer({
    handlers: {
      publish: async () => ({
        message({ type, timestamp, payload }) {
          for (const { socket, chunkSize, messageStreamId } of outputs) {
            socket.write(encodeMessage({ chunkStreamId: 6, type, timestamp, messageStreamId }, chunkSize, payload));
          }
        },
        closed: () => undefined,
      }),
      async play({ stream }) {
        if (stream === 'secret') throw new RtmpRefusal('NetStream.Play.StreamNotFound', 'no such stream');
        return { start: (output) => void outputs.add(output), closed: () => undefined };
      },
    },
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined },
  });
  const { port } = await server.listen(0, '127.0.0.1');
  closers.push(() => server.close());
  return `rtmp://127.0.0.1:${port}`;
}

describe('an HTTP-FLV viewer', () => {
  test('meters frames that come in many reads, and counts their bytes', async () => {
    const context = contextFor(`${await startHttp()}/live/a.flv?k=v`);
    context.shared.sentAt.fill(1, 1, 3);
    const viewer = view(context);
    await vi.waitFor(() => expect(viewer.meter.frames).toBe(2));
    expect(viewer).toMatchObject({ accepted: true, failure: undefined });
    expect(viewer.meter.firstKeyframeAt).toBeGreaterThan(viewer.startedAt);
    expect(context.latencies.count).toBe(2);
    expect(context.shared.received[0]).toBeGreaterThan(100);
  });

  test('says why it was not let in', async () => {
    const viewer = view(contextFor(`${await startHttp()}/live/b.flv`));
    await vi.waitFor(() => expect(viewer.failure).toContain('404'));
    expect(viewer.accepted).toBe(false);
  });
});

describe('an RTMP viewer', () => {
  test('gets what the publisher sends, round after round, each frame once and in order', async () => {
    const url = `${await startRtmp()}/live/a`;
    const context = contextFor(url);
    const viewer = view(context);
    await vi.waitFor(() => expect(viewer.accepted).toBe(true));
    const clip: FlvTag[] = [
      { type: 9, timestamp: 0, body: Buffer.from('1700000000', 'hex') },
      { type: 9, timestamp: 0, body: key },
      { type: 8, timestamp: 5, body: Buffer.from('af01', 'hex') },
    ];
    const publishing = await publish(url, clip, context.shared);
    closers.push(() => publishing.close());
    await vi.waitFor(() => expect(viewer.meter.frames).toBeGreaterThanOrEqual(4));
    expect(viewer.meter.gaps).toBe(0);
    expect(viewer.meter.frames).toBeLessThanOrEqual(publishing.lastSequence);
    expect(context.latencies.max).toBeLessThan(5_000_000);
    expect(publishing.failure).toBeUndefined();
  });

  test('says why it was not let in', async () => {
    const viewer = view(contextFor(`${await startRtmp()}/live/secret`));
    await vi.waitFor(() => expect(viewer.failure).toContain('no such stream'));
  });
});
