import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeClip } from './support/clip.js';
import type { Finding } from './support/hls-validator/rules.js';
import { validateLive } from './support/hls-validator/validate-live.js';
import { ClipPublisher, exited, ffmpegPublisher } from './support/publisher.js';
import { startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';

const WATCHED_SECONDS = 10;

/** What a player may stumble over, for messages; advice aside. */
const faults = (findings: readonly Finding[]) =>
  findings
    .filter(({ level }) => level === 'must')
    .map(({ rule, section, detail }) => `${rule} (${section}): ${detail}`);

describe.concurrent('HLS by the rules of RFC 8216 and its second edition', () => {
  let sluice: TestServer;
  beforeAll(async () => {
    sluice = await startServer('hls: { segmentSeconds: 1, segments: 4 }');
  });
  afterAll(() => sluice.stop());

  const playlistOf = (name: string) => `${sluice.http}/live/${name}.m3u8`;

  // A clip is longer than it is watched, for its sound to have no seam where it begins again.
  it.each(['h264', 'hevc', 'none'] as const)('keeps them over a live window of %s', async (video) => {
    const publisher = await ClipPublisher.start(`${sluice.rtmp}/live/${video}`, await makeClip(video, 20));
    const findings = await validateLive(playlistOf(video), { seconds: WATCHED_SECONDS });
    await publisher.stop();
    expect(faults(findings)).toEqual([]);
  });

  it('keeps them over what ffmpeg publishes with B-frames', async () => {
    const publisher = ffmpegPublisher(`${sluice.rtmp}/live/b-frames`, { seconds: 60, bFrames: 2 });
    await until('there is a playlist', async () => {
      const response = await fetch(playlistOf('b-frames'));
      await response.body?.cancel();
      return response.ok;
    });
    const findings = await validateLive(playlistOf('b-frames'), { seconds: WATCHED_SECONDS });
    publisher.kill('SIGTERM');
    await exited(publisher);
    expect(faults(findings)).toEqual([]);
  });
});
