import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { allowTarget, Publisher, type PublisherState } from '@sluice/bbb-capture';
import type { Logger } from '@sluice/core';
import { type MediaEvent, micros } from '@sluice/media';
import { RtmpClient } from '@sluice/rtmp';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { type Clip, makeClip } from './support/clip.js';
import { ffprobe } from './support/ffmpeg.js';
import { startServer } from './support/server.js';
import { until } from './support/until.js';

const KEY = 'k3y4Me';
const closing: (() => Promise<void>)[] = [];
let clip: Clip;
beforeAll(async () => {
  clip = await makeClip('h264', 4);
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A way to a server that can be cut. */
async function startWay(to: number) {
  const sockets = new Set<Socket>();
  let isOpen = true;
  const server = createServer((socket) => {
    if (!isOpen) return socket.destroy();
    const onward = connect(to, '127.0.0.1');
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      sockets.add(one);
      one.on('error', () => one.destroy());
      one.on('close', () => other.destroy());
      one.pipe(other);
    }
    return undefined;
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  const { port } = server.address() as AddressInfo;
  return {
    origin: `rtmp://127.0.0.1:${port}`,
    cut: () => {
      isOpen = false;
      for (const socket of sockets) socket.destroy();
    },
    mend: () => {
      isOpen = true;
    },
  };
}

function startPublisher(origin: string) {
  const states: PublisherState[] = [];
  const said: string[] = [];
  const write: Logger['warn'] = (fields, message) => said.push(`${JSON.stringify(fields)} ${message}`);
  const publisher = new Publisher({
    target: allowTarget(`${origin}/live/${KEY}`, [origin]),
    log: { debug: write, info: write, warn: write, error: write },
    onState: (state) => states.push(state),
    random: () => 0,
  });
  const first = clip.samples[0]?.dts ?? 0;
  let sent = 0;
  // Four times as fast as it would be, over and over.
  const timer = setInterval(() => {
    const round = Math.floor(sent / clip.events.length);
    const event: MediaEvent | undefined = clip.events[sent % clip.events.length];
    sent += 1;
    if (event?.type === 'config') publisher.config(event.config);
    if (event?.type !== 'sample') return;
    const at = micros(event.sample.dts - first + round * 4_100_000);
    publisher.sample({ ...event.sample, dts: at, pts: at });
  }, 4);
  closing.push(async () => {
    clearInterval(timer);
    await publisher.close();
  });
  return { publisher, states, said, kinds: () => states.map(({ kind }) => kind) };
}

test('a connection that breaks is made anew, again and again, and begins with a keyframe', async () => {
  const sluice = await startServer();
  closing.push(() => sluice.stop());
  const way = await startWay(Number(new URL(sluice.rtmp.replace('rtmp', 'http')).port));
  const { publisher, kinds, states, said } = startPublisher(way.origin);
  await until('it is live', () => kinds().includes('live') && publisher.pictures > 20);
  way.cut();
  await until('it has tried thrice', () => kinds().filter((kind) => kind === 'lost').length >= 3);
  way.mend();
  const before = publisher.pictures;
  await until('it is live again', () => kinds().at(-1) === 'live' && publisher.pictures > before + 20);
  const pauses = states.flatMap((state) => (state.kind === 'lost' ? [state.retryMs] : []));
  expect(pauses.slice(0, 3)).toEqual([375, 750, 1500]);
  const { streams, packets } = await ffprobe(`${sluice.http}/live/${KEY}.flv`, ['-read_intervals', '%+2']);
  expect(streams.map(({ codec_name }) => codec_name).sort()).toEqual(['aac', 'h264']);
  expect(packets.find(({ codec_type }) => codec_type === 'video')?.flags).toContain('K');
  expect(said.join()).not.toContain(KEY);
  expect(JSON.stringify(states)).not.toContain(KEY);
});

test('a server that says no is told as such, without the key', async () => {
  const sluice = await startServer('publish: { takeover: refuse }');
  closing.push(() => sluice.stop());
  const other = await RtmpClient.connect(`${sluice.rtmp}/live/${KEY}`);
  await other.publish();
  closing.push(() => other.close());
  const { kinds, states } = startPublisher(sluice.rtmp);
  await until('it is told', () => kinds().includes('lost'));
  expect(states.find(({ kind }) => kind === 'lost')).toMatchObject({ refused: true });
  expect(JSON.stringify(states)).not.toContain(KEY);
});

test('a server that is not there is tried until it is closed', async () => {
  const way = await startWay(1);
  way.cut();
  const { publisher, kinds } = startPublisher(way.origin);
  await until('it has tried twice', () => kinds().filter((kind) => kind === 'lost').length >= 2);
  await publisher.close();
  const count = kinds().length;
  publisher.sample({ track: 0, kind: 'video', dts: micros(0), pts: micros(0), keyframe: true, data: Buffer.alloc(1) });
  expect(kinds()).toHaveLength(count);
});
