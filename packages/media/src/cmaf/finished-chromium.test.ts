import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser, type TestBrowser } from '../../../../test/support/browser.js';
import { ffmpeg, testPicture, testSound } from '../../../../test/support/ffmpeg.js';
import { planMp4Finish } from './growing-mp4.js';
import { mp4Duration, mp4SampleTimes } from './reading/mp4-index.js';
import { after, type GrowingOptions, growing } from './testing/growing.js';
import { demux, fromZero, type SourceFormat } from './testing/packaged.js';
import { scanned } from './testing/scanned.js';

const SECONDS = 6;
const X264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-g', '25', '-bf', '2', '-pix_fmt', 'yuv420p'];

/** What a page tells of a file that it opened, sought in, and played from there to its end. */
interface Played {
  readonly duration: number;
  readonly sought: number;
  readonly frames: number;
  readonly energy: number;
  readonly end: number;
  readonly error: string;
}

/** Runs in the page. */
const PLAY = `async (to) => {
  const video = document.createElement('video');
  document.body.append(video);
  const once = (...types) => new Promise((resolve) => {
    for (const type of [...types, 'error']) video.addEventListener(type, resolve, { once: true });
  });
  video.src = '/file.mp4';
  await once('loadedmetadata');
  const { duration } = video;
  const seeking = once('seeked');
  video.currentTime = to;
  await seeking;
  const sought = video.currentTime;
  const audio = new AudioContext();
  const analyser = audio.createAnalyser();
  audio.createMediaElementSource(video).connect(analyser).connect(audio.destination);
  await audio.resume();
  let energy = 0;
  const samples = new Float32Array(analyser.fftSize);
  video.addEventListener('timeupdate', () => {
    analyser.getFloatTimeDomainData(samples);
    energy = Math.max(energy, samples.reduce((sum, value) => sum + value * value, 0));
  });
  const over = once('ended');
  await video.play();
  await over;
  const frames = video.getVideoPlaybackQuality().totalVideoFrames;
  return { duration, sought, frames, energy, end: video.currentTime, error: video.error?.message ?? '' };
}`;

describe('a finished file in Chromium', { timeout: 60_000 }, () => {
  let directory: string;
  let browser: TestBrowser;
  let server: Server;
  let file: Buffer = Buffer.alloc(0);
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-finished-chromium-'));
    browser = await startBrowser();
    server = createServer((request, response) => {
      if (request.url !== '/file.mp4') {
        response.setHeader('content-type', 'text/html');
        response.end('<!doctype html><title>MP4</title>');
        return;
      }
      const [, from = '0', to = ''] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? 'bytes=0-') ?? [];
      const end = to === '' ? file.length - 1 : Number(to);
      response.writeHead(206, {
        'content-type': 'video/mp4',
        'accept-ranges': 'bytes',
        'content-range': `bytes ${from}-${end}/${file.length}`,
        'content-length': end - Number(from) + 1,
      });
      response.end(file.subarray(Number(from), end + 1));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    await browser.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(directory, { recursive: true });
  });

  it.each<[string, readonly string[], SourceFormat, GrowingOptions]>([
    ['H.264 with B-frames and AAC', [...X264, '-c:a', 'aac'], 'flv', {}],
    ['tables at the end', [...X264, '-c:a', 'aac'], 'flv', { reserve: 100 }],
    ['H.264 and MP3', [...X264, '-c:a', 'libmp3lame', '-ar', '44100'], 'flv', {}],
    ['AV1 and Opus', ['-c:v', 'libsvtav1', '-preset', '12', '-g', '25', '-c:a', 'libopus'], 'mp4', {}],
    [
      'VP9 and Opus',
      ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-g', '25', '-c:a', 'libopus'],
      'mp4',
      {},
    ],
  ])('knows how long it is, is sought in and plays to its end: %s', async (_, args, format, options) => {
    const path = join(directory, `made.${format}`);
    await ffmpeg([...testPicture({ seconds: SECONDS }), ...testSound(SECONDS), ...args, '-f', format, path]);
    const grown = Buffer.concat(growing(fromZero(demux(await readFile(path), format)), options));
    const { index } = scanned(grown);
    file = (planMp4Finish(index, grown.length)?.steps ?? []).reduce(after, grown);
    const page = await browser.newPage();
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
    const played = (await page.evaluate(`(${PLAY})(4.5)`)) as Played;
    await page.close();
    expect(played.error).toBe('');
    // Chromium counts from the first picture or sound on.
    const starts = index.tracks.map((track) => mp4SampleTimes(track, 0)?.pts ?? 0);
    expect(played.duration).toBeCloseTo((mp4Duration(index) - Math.min(...starts)) / 1_000_000, 1);
    expect(played.sought).toBe(4.5);
    expect(played.end).toBeCloseTo(played.duration, 1);
    expect(played.frames).toBeGreaterThan(25);
    expect(played.energy).toBeGreaterThan(1e-3);
  });
});
