import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser, type TestBrowser } from '../../../../test/support/browser.js';
import { ffmpeg, testPicture, testSound } from '../../../../test/support/ffmpeg.js';
import { demux, fromZero, type Media, type PackageOptions, packaged, type SourceFormat } from './testing/packaged.js';

const SECRET = {
  key: Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex'),
  iv: Buffer.from('f0e0d0c0b0a090807060504030201000', 'hex'),
  keyId: Buffer.from('a1a2a3a4a5a6a7a8a9aaabacadaeafb0', 'hex'),
};
const SECONDS = 2;
const X264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-g', '25', '-bf', '2', '-pix_fmt', 'yuv420p'];

/** What a page tells that was given parts one by one and played them. */
interface Played {
  readonly ranges: readonly (readonly [start: number, end: number])[];
  readonly frames: number;
  readonly dropped: number;
  readonly width: number;
  readonly time: number;
  readonly energy: number;
  readonly error: string;
}

/** Runs in the page. */
const PLAY = `async ({ mime, parts, key }) => {
  const video = document.createElement('video');
  document.body.append(video);
  const bytesOf = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  if (key !== undefined) {
    const [videoType, audioType] = key.types;
    const access = await navigator.requestMediaKeySystemAccess('org.w3.clearkey', [{
      initDataTypes: ['keyids'],
      videoCapabilities: [{ contentType: videoType, encryptionScheme: 'cbcs' }],
      audioCapabilities: [{ contentType: audioType, encryptionScheme: 'cbcs' }],
    }]);
    const keys = await access.createMediaKeys();
    await video.setMediaKeys(keys);
    const session = keys.createSession();
    const updated = new Promise((resolve) => session.addEventListener('message', () => {
      const text = JSON.stringify({ keys: [{ kty: 'oct', kid: key.kid, k: key.k }], type: 'temporary' });
      resolve(session.update(new TextEncoder().encode(text)));
    }));
    await session.generateRequest('keyids', new TextEncoder().encode(JSON.stringify({ kids: [key.kid] })));
    await updated;
  }
  const source = new MediaSource();
  video.src = URL.createObjectURL(source);
  await new Promise((resolve) => source.addEventListener('sourceopen', resolve, { once: true }));
  const buffer = source.addSourceBuffer(mime);
  let error = '';
  for (const part of parts) {
    const done = new Promise((resolve, reject) => {
      buffer.addEventListener('updateend', resolve, { once: true });
      buffer.addEventListener('error', () => reject(new Error('append failed')), { once: true });
    });
    buffer.appendBuffer(bytesOf(part));
    await done.catch((failure) => { error = failure.message; });
  }
  const ranges = Array.from({ length: buffer.buffered.length }, (_, at) => [buffer.buffered.start(at), buffer.buffered.end(at)]);
  source.endOfStream();
  const audio = new AudioContext();
  const analyser = audio.createAnalyser();
  audio.createMediaElementSource(video).connect(analyser).connect(audio.destination);
  await audio.resume();
  video.currentTime = ranges[0]?.[0] ?? 0;
  let energy = 0;
  const samples = new Float32Array(analyser.fftSize);
  video.addEventListener('timeupdate', () => {
    analyser.getFloatTimeDomainData(samples);
    energy = Math.max(energy, samples.reduce((sum, value) => sum + value * value, 0));
  });
  const over = new Promise((resolve) => {
    video.addEventListener('ended', resolve, { once: true });
    video.addEventListener('error', resolve, { once: true });
  });
  await video.play();
  await over;
  const quality = video.getVideoPlaybackQuality();
  error ||= video.error?.message ?? '';
  return {
    ranges, energy, error, width: video.videoWidth, time: video.currentTime,
    frames: quality.totalVideoFrames, dropped: quality.droppedVideoFrames,
  };
}`;

describe('CMAF in Chromium', { timeout: 60_000 }, () => {
  let directory: string;
  let browser: TestBrowser;
  let server: Server;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-cmaf-chromium-'));
    browser = await startBrowser();
    // Keys are for pages of a secure origin only, which localhost is.
    server = createServer((_, response) => response.end('<!doctype html><title>CMAF</title>'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    await browser.close();
    await new Promise((resolve) => server.close(resolve));
    await rm(directory, { recursive: true });
  });

  const source = async (args: readonly string[], format: SourceFormat): Promise<Media> => {
    const path = join(directory, `made.${format}`);
    await ffmpeg([...testPicture({ seconds: SECONDS }), ...testSound(SECONDS), ...args, '-f', format, path]);
    return fromZero(demux(await readFile(path), format));
  };
  const play = async (media: Media, options: PackageOptions = {}): Promise<Played> => {
    const names = media.configs.map(({ codecString }) => codecString);
    const [picture = '', sound = ''] = names;
    const base64url = (bytes: Buffer) => bytes.toString('base64url');
    const key = {
      ...{ kid: base64url(SECRET.keyId), k: base64url(SECRET.key) },
      types: [`video/mp4; codecs="${picture}"`, `audio/mp4; codecs="${sound}"`],
    };
    const page = await browser.newPage();
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
    const parts = packaged(media, options).map((part) => part.toString('base64'));
    const mime = `video/mp4; codecs="${names.join(',')}"`;
    const given = JSON.stringify({ mime, parts, ...(options.secret === undefined ? {} : { key }) });
    const played = (await page.evaluate(`(${PLAY})(${given})`)) as Played;
    await page.close();
    return played;
  };

  it.each<[string, readonly string[], SourceFormat]>([
    ['H.264 and AAC from milliseconds', [...X264, '-c:a', 'aac', '-ar', '44100'], 'flv'],
    ['H.264 and AAC', [...X264, '-c:a', 'aac'], 'mpegts'],
    ['H.264 and Opus', [...X264, '-c:a', 'libopus'], 'mpegts'],
    ['AV1 and Opus', ['-c:v', 'libsvtav1', '-preset', '12', '-g', '25', '-c:a', 'libopus'], 'mp4'],
    ['VP9 and AAC', ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-c:a', 'aac'], 'mp4'],
  ])('is played from parts of 200 ms, without gaps: %s', async (_, args, format) => {
    const played = await play(await source(args, format), { extras: true });
    expect(played.error).toBe('');
    expect(played.ranges).toHaveLength(1);
    const [start = 0, end = 0] = played.ranges[0] ?? [];
    expect(end - start).toBeGreaterThan(SECONDS - 0.2);
    expect(played.time).toBeCloseTo(end, 0);
    expect(played.frames).toBeGreaterThan(SECONDS * 25 - 5);
    expect(played.width).toBe(320);
    expect(played.energy).toBeGreaterThan(1e-3);
  });

  it('is decrypted by its key, cbcs', async () => {
    const media = await source([...X264, '-c:a', 'aac'], 'mpegts');
    const played = await play(media, { secret: SECRET });
    expect(played.error).toBe('');
    expect(played.ranges).toHaveLength(1);
    expect(played.frames).toBeGreaterThan(SECONDS * 25 - 5);
    expect(played.energy).toBeGreaterThan(1e-3);
  });
});
