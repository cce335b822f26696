import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClipVideo, makeClip } from './support/clip.js';
import type { Finding } from './support/hls-validator/rules.js';
import { validateLive } from './support/hls-validator/validate-live.js';
import { IS_LONG } from './support/long.js';
import { ClipPublisher, exited, ffmpegPublisher } from './support/publisher.js';
import { startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';

const WATCHED_SECONDS = 10;
/** What a player may stumble over, for messages; advice aside. */
const faults = (findings: readonly Finding[]) =>
  findings
    .filter(({ level }) => level === 'must')
    .map(({ rule, section, detail }) => `${rule} (${section}): ${detail}`);

describe.concurrent('HLS by the rules of RFC 8216 and its second edition', { timeout: 120_000 }, () => {
  let sluice: TestServer;
  beforeAll(async () => {
    sluice = await startServer(`
      hls: { segmentSeconds: 1, segments: 4 }
      paths: { "ts/*": { hls: { container: mpegts } }, "plain/*": { hls: { lowLatency: false } } }`);
  });
  afterAll(() => sluice.stop());

  async function watched(path: string, seconds = WATCHED_SECONDS): Promise<string[]> {
    // The machine does more than this: what comes late by less than a second is not the server's doing.
    return faults(await validateLive(`${sluice.http}/${path}.m3u8`, { seconds, jitterSeconds: 1 }));
  }

  async function keepsThem(path: string, video: ClipVideo): Promise<void> {
    // A clip is longer than it is watched, for its sound to have no seam where it begins again.
    const publisher = await ClipPublisher.start(`${sluice.rtmp}/${path}`, await makeClip(video, 20));
    const found = await watched(path);
    await publisher.stop();
    expect(found).toEqual([]);
  }

  it.each([
    ['live/steady', 'h264'],
    ['live/uneven', 'h264-uneven'],
  ] as const)('keeps them over a live window of %s (%s)', keepsThem);

  it.skipIf(!IS_LONG).each([
    ['ts/steady', 'h264'],
    ['live/hevc', 'hevc'],
    ['live/sound', 'none'],
    ['live/picture', 'h264-silent'],
    ['live/film', 'h264-film'],
    ['ts/hevc', 'hevc'],
    ['ts/sound', 'none'],
    ['plain/steady', 'h264'],
  ] as const)('keeps them over a live window of %s (%s)', keepsThem);

  it.each(IS_LONG ? ['live', 'ts'] : ['live'])(
    'keeps them when the encoder comes back, and with another codec, in %s',
    async (app) => {
      const path = `${app}/back`;
      const url = `${sluice.rtmp}/${path}`;
      const first = await ClipPublisher.start(url, await makeClip('h264', 20));
      const clips = [await makeClip('h264', 20), await makeClip('hevc', 20)];
      const watching = watched(path, 15);
      let publisher = first;
      for (const [at, clip] of clips.entries()) {
        await until('some segments are made', () => publisher.sent > 250);
        await publisher.stop();
        publisher = await ClipPublisher.start(url, clip);
        expect(at).toBeLessThan(2);
      }
      const found = await watching;
      await publisher.stop();
      expect(found).toEqual([]);
    },
  );

  it.skipIf(!IS_LONG)('keeps them over what ffmpeg publishes with B-frames', async () => {
    const publisher = ffmpegPublisher(`${sluice.rtmp}/live/b-frames`, { seconds: 60, bFrames: 2 });
    await until('there is a playlist', async () => {
      const response = await fetch(`${sluice.http}/live/b-frames.m3u8`);
      await response.body?.cancel();
      return response.ok;
    });
    const found = await watched('live/b-frames');
    publisher.kill('SIGTERM');
    await exited(publisher);
    expect(found).toEqual([]);
  });
});
