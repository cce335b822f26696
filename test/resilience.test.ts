import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type Clip, makeClip } from './support/clip.js';
import { ClipPublisher } from './support/publisher.js';
import { startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';
import { HlsViewer, httpFlvViewer, rtmpViewer, type TestViewer, webSocketViewer } from './support/viewers.js';

/** Filler data, H.264 §7.3.2.7: makes a small picture a heavy stream. */
const FILLER_NAL = 0x0c;

function heavier(clip: Clip, bytesPerFrame: number): Clip {
  const samples = clip.samples.map((sample) => {
    if (sample.kind === 'audio') return sample;
    const filler = Buffer.alloc(4 + bytesPerFrame, 0xff);
    filler.writeUInt32BE(bytesPerFrame);
    filler[4] = FILLER_NAL;
    return { ...sample, data: Buffer.concat([sample.data, filler]) };
  });
  return { events: clip.events, samples };
}

/** A viewer that asks and never reads. */
function stalledViewer(httpUrl: string, path: string): Promise<Socket> {
  const { hostname, port } = new URL(httpUrl);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => {
      socket.pause();
      socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      resolve(socket);
    });
    socket.on('error', () => undefined);
  });
}

function expectOneTimeline(name: string, viewer: TestViewer, maxStepMs: number): void {
  for (const kind of ['video', 'audio'] as const) {
    const times = viewer.samples.filter((sample) => sample.kind === kind).map((sample) => sample.dts);
    const steps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect([name, kind, steps.filter((step) => step <= 0)]).toEqual([name, kind, []]);
    expect([name, kind, steps.filter((step) => step > maxStepMs * 1000)]).toEqual([name, kind, []]);
  }
}

describe('what goes wrong at events', () => {
  let sluice: TestServer;
  afterEach(() => sluice.stop());

  it('an encoder that is killed and comes back keeps its viewers, on every protocol', async () => {
    sluice = await startServer('publish: { graceSeconds: 20 }\nhls: { segmentSeconds: 1, segments: 10 }');
    const clip = await makeClip('h264-b', 3);
    const first = await ClipPublisher.start(`${sluice.rtmp}/live/show`, clip, { loop: true });
    const viewers: Record<string, TestViewer> = {
      rtmp: await rtmpViewer(`${sluice.rtmp}/live/show`),
      'http-flv': await httpFlvViewer(`${sluice.http}/live/show.flv`),
      'ws-flv': await webSocketViewer(`${sluice.ws}/live/show.flv`),
      hls: new HlsViewer(`${sluice.http}/live/show.m3u8`),
    };
    const all = Object.entries(viewers);
    const videoFrames = (viewer: TestViewer) => viewer.samples.filter((sample) => sample.kind === 'video').length;
    await until('all play', () => all.every(([, viewer]) => videoFrames(viewer) > 40));
    first.kill();
    await until('the stream waits', () =>
      sluice.log.some((line) => line.msg === 'stream waits for its encoder to come back'),
    );
    const before = new Map(all.map(([name, viewer]) => [name, videoFrames(viewer)]));

    const second = await ClipPublisher.start(`${sluice.rtmp}/live/show`, clip, { loop: true });
    await until('all go on', () => all.every(([name, viewer]) => videoFrames(viewer) > (before.get(name) ?? 0) + 50));
    for (const [name, viewer] of all) {
      expect([name, viewer.ended]).toEqual([name, false]);
      // The last access units before the kill may be lost with the connection, the timeline goes on without a leap.
      expectOneTimeline(name, viewer, 1100);
    }
    const hls = viewers.hls as HlsViewer;
    expect(hls.segments.filter((segment) => segment.discontinuity)).toHaveLength(1);
    expect(sluice.log.filter((line) => line.msg === 'session closed' && line.action === 'play')).toEqual([]);
    await Promise.all(all.map(([, viewer]) => viewer.leave()));
    await second.stop();
  });

  it('viewers are let go when the encoder stays away, and HLS says that the stream ended', async () => {
    sluice = await startServer('publish: { graceSeconds: 1 }\nhls: { segmentSeconds: 1 }');
    const publisher = await ClipPublisher.start(`${sluice.rtmp}/live/show`, await makeClip('h264', 3), { loop: true });
    const viewers = [
      await rtmpViewer(`${sluice.rtmp}/live/show`),
      await httpFlvViewer(`${sluice.http}/live/show.flv`),
      await webSocketViewer(`${sluice.ws}/live/show.flv`),
      new HlsViewer(`${sluice.http}/live/show.m3u8`),
    ];
    await until('all play', () => viewers.every((viewer) => viewer.samples.length > 50));
    publisher.kill();
    await until('all are let go', () => viewers.every((viewer) => viewer.ended));
  });

  it('a second encoder takes over, or is refused, as the path says', async () => {
    sluice = await startServer('paths: { "strict/*": { publish: { takeover: refuse } } }');
    const clip = await makeClip('h264', 3);
    let replaced = false;
    await ClipPublisher.start(`${sluice.rtmp}/live/show`, clip, {
      loop: true,
      onClose: () => {
        replaced = true;
      },
    });
    const viewer = await httpFlvViewer(`${sluice.http}/live/show.flv`);
    await until('it plays', () => viewer.samples.length > 20);
    const second = await ClipPublisher.start(`${sluice.rtmp}/live/show`, clip, { loop: true });
    await until('the first is gone', () => replaced);
    const had = viewer.samples.length;
    await until('the viewer goes on', () => viewer.samples.length > had + 50);
    expect(viewer.ended).toBe(false);
    expectOneTimeline('http-flv', viewer, 1100);

    const holder = await ClipPublisher.start(`${sluice.rtmp}/strict/show`, clip, { loop: true });
    await expect(ClipPublisher.start(`${sluice.rtmp}/strict/show`, clip)).rejects.toThrow(
      /NetStream.Publish.BadName: strict\/show is being published/,
    );
    await viewer.leave();
    await Promise.all([second.stop(), holder.stop()]);
  });

  it('viewers that stop reading cost no memory, delay nobody, and are evicted with the reason in the log', async () => {
    sluice = await startServer('viewers: { maxStallSeconds: 2 }');
    const clip = heavier(await makeClip('h264', 2), 60_000);
    const publisher = await ClipPublisher.start(`${sluice.rtmp}/live/show`, clip, { loop: true });
    const reader = await httpFlvViewer(`${sluice.http}/live/show.flv`);
    await until('it plays', () => reader.samples.length > 50);
    const before = process.memoryUsage();
    const STALLED = 30;
    const stalled = await Promise.all(
      Array.from({ length: STALLED }, () => stalledViewer(sluice.http, '/live/show.flv')),
    );
    const evictions = () =>
      sluice.log.filter(
        (line) => line.msg === 'session closed' && /stalled: the viewer has read nothing/.test(String(line.reason)),
      );
    let peak = 0;
    await until('all are evicted', () => {
      const { arrayBuffers } = process.memoryUsage();
      peak = Math.max(peak, arrayBuffers - before.arrayBuffers);
      // What this test's own reader keeps is not the server's.
      return evictions().length === STALLED;
    });
    const kept = reader.samples.reduce((sum, sample) => sum + sample.data.length, 0);
    // 30 viewers at 12 Mbit/s for more than 2 s each would be 90 MB if they were queued for.
    expect(peak - kept).toBeLessThan(40 * 1024 * 1024);
    expectOneTimeline('http-flv', reader, 60);
    for (const socket of stalled) socket.destroy();
    await reader.leave();
    await publisher.stop();
  });

  it('a stopping server lets its viewers go and closes its doors', async () => {
    sluice = await startServer();
    const publisher = await ClipPublisher.start(`${sluice.rtmp}/live/show`, await makeClip('h264', 2), { loop: true });
    const viewers = [
      await rtmpViewer(`${sluice.rtmp}/live/show`),
      await httpFlvViewer(`${sluice.http}/live/show.flv`),
      await webSocketViewer(`${sluice.ws}/live/show.flv`),
    ];
    await until('all play', () => viewers.every((viewer) => viewer.samples.length > 20));
    await sluice.stop();
    await until('all are let go', () => viewers.every((viewer) => viewer.ended));
    await expect(fetch(`${sluice.http}/status/streams`)).rejects.toThrow();
    publisher.kill();
  });
});
