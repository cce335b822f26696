import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FlvDemuxer, type Sample, type TrackConfig } from '@sluice/media';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Clip } from './support/clip.js';
import { ffmpeg, testPicture, testSound } from './support/ffmpeg.js';
import { ClipPublisher } from './support/publisher.js';
import { startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';
import { httpFlvViewer, type TestViewer } from './support/viewers.js';

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
});
