import { afterEach, describe, expect, test } from 'vitest';
import { SKINS, type Skin } from './bbb-stub/src/index.js';
import { CaptureServer } from './support/capture-server.js';
import { lookAtCapture } from './support/captured.js';
import { ffprobe } from './support/ffmpeg.js';
import { IS_BBB_LONG } from './support/long.js';
import { descendants } from './support/processes.js';
import { until } from './support/until.js';

/** `npm run test:bbb` takes all generations of the client. */
const TRIED: readonly Skin[] = IS_BBB_LONG ? SKINS : ['3.0'];
const MOST_OFFSET_MS = 80;
const MOST_FORBIDDEN = 0.001;

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

describe('a meeting of BigBlueButton', () => {
  test.each(TRIED)(
    'is captured from the client of %s until it ends',
    async (skin) => {
      const server = await CaptureServer.start({ skin }, '', [{ meetingID: 'room', record: true, mountDelayMs: 500 }]);
      closing.push(() => server.stop());
      const id = await server.capture('room', 'live/room');
      await server.live(id);
      expect(await server.metric('sluice_bbb_streams_active{state="live"}')).toBe(1);
      expect(await server.health()).toBe(200);
      const seen = await lookAtCapture(`${server.sluice.http}/live/room.flv`, 10);
      expect(seen).toMatchObject({ width: 1280, height: 720, videoCodec: 'h264', audioCodec: 'aac', channels: 2 });
      expect(seen.distinctPerSecond).toBeGreaterThanOrEqual(25);
      const own = `{meeting="room",capture="${id}"}`;
      expect(await server.metric(`sluice_bbb_stream_memory_bytes${own}`)).toBeGreaterThan(100 * 2 ** 20);
      expect(await server.metric(`sluice_bbb_stream_cpus${own}`)).toBeGreaterThan(0.1);
      expect(seen.toneShare).toBeGreaterThan(0.98);
      expect(seen.offsetsMs.length).toBeGreaterThanOrEqual(6);
      // A flash whose first picture was left out is seen late: a busy machine may leave out one.
      const apart = seen.offsetsMs.filter((offset) => Math.abs(offset) > MOST_OFFSET_MS);
      expect(apart.length, `of ${seen.offsetsMs}`).toBeLessThanOrEqual(2);
      for (const [part, share] of Object.entries(seen.forbidden)) {
        expect(share, `${part} in the picture`).toBeLessThan(MOST_FORBIDDEN);
      }
      server.stub.meetings.get('room')?.act({ do: 'end' });
      const ms = await server.reaches(id, ({ state }) => state === 'ended', 12_000);
      expect(ms).toBeLessThan(10_000);
      expect(await server.shown(id)).toMatchObject({ reason: 'meeting-ended', failure: null });
    },
    90_000,
  );

  test.runIf(IS_BBB_LONG)(
    'is captured in 1920x1080 from a display of its own, and comes by HLS',
    async () => {
      const profiles = '  profiles:\n    default: { width: 1920, height: 1080, videoKbps: 4500 }\n';
      const server = await CaptureServer.start({}, profiles, [{ meetingID: 'room' }]);
      closing.push(() => server.stop());
      const id = await server.capture('room', 'live/room');
      await server.live(id);
      expect(descendants().filter(({ command }) => command.includes('Xvfb'))).toHaveLength(1);
      const master = `${server.sluice.http}/live/room.m3u8`;
      await until('HLS is there', async () => (await fetch(master)).ok);
      const { streams } = await ffprobe(master, ['-read_intervals', '%+2']);
      const video = streams.find(({ codec_type }) => codec_type === 'video');
      expect(video).toMatchObject({ codec_name: 'h264', width: 1920, height: 1080 });
      const seen = await lookAtCapture(`${server.sluice.http}/live/room.flv`, 10);
      expect(seen).toMatchObject({ width: 1920, height: 1080, audioCodec: 'aac', channels: 2 });
      expect(seen.distinctPerSecond).toBeGreaterThanOrEqual(20);
      expect(seen.toneShare).toBeGreaterThan(0.9);
      const apart = seen.offsetsMs.filter((offset) => Math.abs(offset) > MOST_OFFSET_MS);
      expect(apart.length, `of ${seen.offsetsMs}`).toBeLessThanOrEqual(2);
      for (const [part, share] of Object.entries(seen.forbidden)) expect(share, part).toBeLessThan(MOST_FORBIDDEN);
      server.stub.meetings.get('room')?.act({ do: 'end' });
      expect(await server.reaches(id, ({ state }) => state === 'ended', 12_000)).toBeLessThan(10_000);
      await until('nothing is left', () =>
        descendants().every(({ command }) => !/Xvfb|pulseaudio|chromium/.test(command)),
      );
    },
    90_000,
  );
});
