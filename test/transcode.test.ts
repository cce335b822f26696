import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FlvDemuxer, type Sample, type TrackConfig } from '@sluice/media';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Clip } from './support/clip.js';
import { ffmpeg, ffprobe, testPicture, testSound } from './support/ffmpeg.js';
import { IS_LONG } from './support/long.js';
import { ClipPublisher } from './support/publisher.js';
import { AS_ADMIN, startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';
import { HlsViewer, httpFlvViewer, type TestViewer } from './support/viewers.js';

const LADDER = `
transcode:
  cpuBudget: 4
  renditions:
    middle: { height: 180, videoBitrate: 300, preset: ultrafast }
    small: { height: 90, videoBitrate: 100, preset: ultrafast, frameRate: 13, audioBitrate: 48 }
    sound: { codec: none, audioBitrate: 32 }
`;

/** 640x360 at 25 fps with B-frames, a keyframe each second, and sound. */
async function makeSource(): Promise<Clip> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-clip-'));
  try {
    const file = join(directory, 'clip.flv');
    const coding = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-bf', '2', '-pix_fmt', 'yuv420p'];
    const picture = testPicture({ seconds: 4, size: '640x360' });
    await ffmpeg([...picture, ...testSound(4), ...coding, '-c:a', 'aac', '-f', 'flv', file]);
    const events = new FlvDemuxer().push(await readFile(file));
    const samples = events.flatMap((event) => (event.type === 'sample' ? [event.sample] : []));
    return { events, samples: samples.sort((a, b) => a.dts - b.dts) };
  } finally {
    await rm(directory, { recursive: true });
  }
}

interface Job {
  readonly path: string;
  readonly state: string;
  readonly pid: number | null;
  readonly restarts: number;
  readonly renditions: readonly { readonly name: string; readonly state: string; readonly reason: string | null }[];
}

const pictures = (viewer: TestViewer): Sample[] => viewer.samples.filter(({ kind }) => kind === 'video');
const configs = (viewer: TestViewer): TrackConfig[] =>
  viewer.events.flatMap((event) => (event.type === 'config' ? [event.config] : []));
const lastOf = (viewer: TestViewer): number => pictures(viewer).at(-1)?.pts ?? 0;

describe('renditions', () => {
  let clip: Clip;
  beforeAll(async () => {
    clip = await makeSource();
  });
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function live(yaml: string): Promise<TestServer> {
    const sluice = await startServer(yaml);
    closing.push(() => sluice.stop());
    const publisher = await ClipPublisher.start(`${sluice.rtmp}/live/show`, clip, { loop: true });
    closing.push(() => publisher.stop());
    return sluice;
  }

  async function watch(sluice: TestServer, path: string): Promise<TestViewer> {
    const viewer = await httpFlvViewer(`${sluice.http}/${path}.flv`);
    closing.push(() => viewer.leave());
    return viewer;
  }

  const job = async (sluice: TestServer): Promise<Job | undefined> => {
    const answer = await fetch(`${sluice.api}/api/v2/transcodes`);
    const { jobs } = (await answer.json()) as { jobs: Job[] };
    return jobs.find(({ path }) => path === 'live/show');
  };

  it('are streams of their own, with keyframes where the source has them', async () => {
    const sluice = await live(LADDER);
    const names = ['middle', 'small', 'sound'];
    const source = await watch(sluice, 'live/show');
    const made = await Promise.all(names.map((name) => watch(sluice, `live/show/${name}`)));
    const [middle, small, sound] = made as [TestViewer, TestViewer, TestViewer];
    await until(
      'all of it plays',
      () => [source, middle, small].every((viewer) => pictures(viewer).length > 70),
      30_000,
    );
    await until('the sound plays', () => sound.samples.length > 100);
    const sizeOf = (viewer: TestViewer) => {
      const found = configs(viewer).find((config) => config.kind === 'video');
      return found?.kind === 'video' ? [found.codec, found.width, found.height] : undefined;
    };
    expect(sizeOf(middle)).toEqual(['h264', 320, 180]);
    expect(sizeOf(small)).toEqual(['h264', 160, 90]);
    expect(sizeOf(sound)).toBeUndefined();
    for (const viewer of made) expect(configs(viewer).some(({ codec }) => codec === 'aac')).toBe(true);
    const keyframes = (viewer: TestViewer) => pictures(viewer).filter(({ keyframe }) => keyframe);
    for (const viewer of [middle, small]) {
      expect(keyframes(viewer).length).toBeGreaterThan(2);
      for (const { pts } of keyframes(viewer).slice(1)) {
        if (pts > lastOf(source)) continue;
        expect(keyframes(source).some((own) => Math.abs(own.pts - pts) <= 1000)).toBe(true);
      }
    }
    const rate = (viewer: TestViewer) => pictures(viewer).length / (lastOf(viewer) - (pictures(viewer)[0]?.pts ?? 0));
    expect(rate(small) / rate(middle)).toBeLessThan(0.7);
  });

  it('go on within 3 s when ffmpeg is killed, and viewers of the source notice nothing', async () => {
    const sluice = await live(LADDER);
    const source = await watch(sluice, 'live/show');
    const middle = await watch(sluice, 'live/show/middle');
    await until('both play', () => pictures(source).length > 50 && pictures(middle).length > 50, 30_000);
    const { pid = null } = (await job(sluice)) ?? {};
    if (pid === null) throw new Error('there is no ffmpeg');
    const before = lastOf(middle);
    process.kill(pid, 'SIGKILL');
    const killedAt = performance.now();
    await until('it goes on', () => lastOf(middle) > before + 500_000);
    expect(performance.now() - killedAt).toBeLessThan(3000);
    await until('it plays on', () => lastOf(middle) > before + 3_000_000);
    expect(await job(sluice)).toMatchObject({ restarts: 1, state: 'running' });
    const steps = (viewer: TestViewer) =>
      pictures(viewer)
        .slice(1)
        .map(({ dts }, at) => dts - (pictures(viewer)[at]?.dts ?? 0));
    expect(Math.max(...steps(source))).toBeLessThan(60_000);
    // Nothing is lost of the rendition either: ffmpeg is given the GOP once more.
    expect(Math.max(...steps(middle))).toBeLessThan(60_000);
    expect(Math.min(...steps(middle))).toBeGreaterThan(0);
  });

  it.runIf(IS_LONG)('go on when ffmpeg hangs', async () => {
    const sluice = await live(LADDER);
    const middle = await watch(sluice, 'live/show/middle');
    await until('it plays', () => pictures(middle).length > 20, 30_000);
    const { pid = null } = (await job(sluice)) ?? {};
    if (pid === null) throw new Error('there is no ffmpeg');
    const before = lastOf(middle);
    process.kill(pid, 'SIGSTOP');
    await until('it goes on', () => lastOf(middle) > before + 3_000_000, 30_000);
    expect(isRunning(pid)).toBe(false);
    expect(sluice.log.find(({ msg }) => msg === 'making renditions is interrupted')).toMatchObject({
      reason: 'ffmpeg has given nothing for 8 s',
      retryMs: 0,
    });
  });

  it('can be watched by HLS, whose first viewer has them made', async () => {
    const sluice = await live(`hls: { segmentSeconds: 1 }\n${LADDER}`);
    const viewer = new HlsViewer(`${sluice.http}/live/show/small.m3u8`);
    closing.push(() => viewer.leave());
    await until('it plays', () => pictures(viewer).length > 20, 30_000);
    const listed = await (await fetch(`${sluice.http}/status/streams/live/show/small`)).json();
    expect(listed).toMatchObject({ state: 'live', tracks: [{ width: 160, height: 90 }, { codec: 'aac' }] });
  });

  it('are refused with a reason where there is no core for them, until there is', async () => {
    const sluice = await live(`
transcode:
  mode: always
  cpuBudget: 0.3
  renditions:
    dear: { height: 360, videoBitrate: 500, preset: veryslow }
    cheap: { height: 90, videoBitrate: 100, preset: ultrafast }
`);
    const cheap = await watch(sluice, 'live/show/cheap');
    await until('the other one plays', () => pictures(cheap).length > 20, 30_000);
    const refused = (await job(sluice))?.renditions.find(({ name }) => name === 'dear');
    expect(refused).toMatchObject({
      state: 'refused',
      reason: expect.stringMatching(/^it needs 0\.\d+ cores, and of 0\.30 cores 0\.\d+ cores are taken/),
    });
    const answer = await fetch(`${sluice.http}/live/show/dear.flv`);
    expect(answer.status).toBe(503);
    expect(await answer.text()).toMatch(/unavailable.*live\/show\/dear can't be made: it needs/);
    expect(await (await fetch(`${sluice.api}/metrics`)).text()).toMatch(/sluice_renditions\{state="refused"\} 1/);

    const body = JSON.stringify({ 'transcode.cpuBudget': 4 });
    await fetch(`${sluice.api}/api/v2/config`, { method: 'PATCH', headers: AS_ADMIN, body });
    const dear = await watch(sluice, 'live/show/dear');
    const before = lastOf(cheap);
    await until('it plays as well', () => pictures(dear).length > 20, 30_000);
    await until('the other one goes on', () => lastOf(cheap) > before + 1_000_000);
    const steps = pictures(cheap)
      .slice(1)
      .map(({ dts }, at) => dts - (pictures(cheap)[at]?.dts ?? 0));
    expect(Math.max(...steps)).toBeLessThan(60_000);
  });

  it('may be watched by who may watch the source, and published by nobody', async () => {
    const sluice = await live(`access: { play: credential }\n${LADDER}`);
    const body = JSON.stringify({ path: 'live/show', viewer: 'anna', seconds: 900 });
    const made = await fetch(`${sluice.api}/api/v2/tokens`, { method: 'POST', headers: AS_ADMIN, body });
    const { query } = (await made.json()) as { query: string };
    expect((await fetch(`${sluice.http}/live/show/middle.flv`)).status).toBe(401);
    expect((await fetch(`${sluice.http}/live/show.jpg`)).status).toBe(401);
    const middle = await httpFlvViewer(`${sluice.http}/live/show/middle.flv${query}`);
    closing.push(() => middle.leave());
    await until('it plays', () => pictures(middle).length > 5, 30_000);
    const picture = await fetch(`${sluice.http}/live/show.jpg${query}`);
    expect(picture.headers.get('cache-control')).toBe('private, max-age=5');
    await picture.arrayBuffer();
    await expect(ClipPublisher.start(`${sluice.rtmp}/live/show/middle`, clip)).rejects.toThrow(/is a rendition of/);
    expect((await fetch(`${sluice.http}/live/show/middle/middle.flv${query}`)).status).toBe(401);
  });

  it('can be cut off, which the others do not notice', async () => {
    const sluice = await live(LADDER);
    const [middle, small] = [await watch(sluice, 'live/show/middle'), await watch(sluice, 'live/show/small')];
    await until('both play', () => pictures(middle).length > 20 && pictures(small).length > 20, 30_000);
    const cut = await fetch(`${sluice.api}/api/v2/streams/live/show/small`, { method: 'DELETE', headers: AS_ADMIN });
    expect(cut.status).toBe(204);
    const before = lastOf(middle);
    await until('one has ended', () => small.ended);
    await until('the other goes on', () => lastOf(middle) > before + 1_000_000);
    expect(middle.ended).toBe(false);
    const left = (await job(sluice))?.renditions.find(({ name }) => name === 'small');
    expect(left).toMatchObject({ state: 'failed', reason: expect.stringMatching(/^cut off by/) });
  });

  it('end when their source ends', async () => {
    const sluice = await startServer(`publish: { graceSeconds: 0 }\n${LADDER}`);
    closing.push(() => sluice.stop());
    const publisher = await ClipPublisher.start(`${sluice.rtmp}/live/show`, clip, { loop: true });
    const middle = await watch(sluice, 'live/show/middle');
    await until('it plays', () => pictures(middle).length > 5, 30_000);
    const { pid = null } = (await job(sluice)) ?? {};
    await publisher.stop();
    await until('it has ended', () => middle.ended);
    await until('ffmpeg has gone', () => pid !== null && !isRunning(pid));
    expect(await job(sluice)).toBeUndefined();
  });
});

describe('the poster of a stream', () => {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  it('is its newest keyframe, made once for all who ask', async () => {
    const sluice = await startServer();
    closing.push(() => sluice.stop());
    const url = `${sluice.http}/live/show.jpg`;
    expect((await fetch(url)).status).toBe(404);
    const publisher = await ClipPublisher.start(`${sluice.rtmp}/live/show`, await makeSource(), { loop: true });
    closing.push(() => publisher.stop());
    await until('there is one', async () => (await fetch(url)).status === 200);
    const answers = await Promise.all(Array.from({ length: 5 }, () => fetch(url)));
    const pictures = await Promise.all(answers.map(async (answer) => Buffer.from(await answer.arrayBuffer())));
    for (const picture of pictures) expect(picture.equals(pictures[0] ?? Buffer.alloc(0))).toBe(true);
    expect(answers[0]?.headers.get('content-type')).toBe('image/jpeg');
    expect(answers[0]?.headers.get('cache-control')).toBe('public, max-age=5');
    const directory = await mkdtemp(join(tmpdir(), 'sluice-poster-'));
    try {
      const file = join(directory, 'poster.jpg');
      await writeFile(file, pictures[0] ?? '');
      expect((await ffprobe(file)).streams).toMatchObject([{ codec_name: 'mjpeg', width: 640, height: 360 }]);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it('and renditions say what is missing where there is no ffmpeg', async () => {
    vi.stubEnv('FFMPEG_PATH', '/nowhere/ffmpeg');
    const sluice = await startServer(LADDER).finally(() => vi.unstubAllEnvs());
    closing.push(() => sluice.stop());
    const publisher = await ClipPublisher.start(`${sluice.rtmp}/live/show`, await makeSource(), { loop: true });
    closing.push(() => publisher.stop());
    for (const file of ['show.jpg', 'show/middle.flv']) {
      const answer = await fetch(`${sluice.http}/live/${file}`);
      expect([file, answer.status]).toEqual([file, 503]);
      expect(await answer.text()).toMatch(/there is no ffmpeg: install it, or name it by FFMPEG_PATH/);
    }
    expect(sluice.log.filter(({ msg }) => msg === 'renditions can not be made')).toHaveLength(1);
  });
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
