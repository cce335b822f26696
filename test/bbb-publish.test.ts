import { allowTarget, Publisher } from '@sluice/bbb-capture';
import { silentLogger } from '@sluice/core';
import { afterEach, describe, expect, test } from 'vitest';
import { BbbStub } from './bbb-stub/src/index.js';
import { lookAtCapture } from './support/captured.js';
import { captureMeeting, launchBrowser, listenerLink, SMALL_PROFILE } from './support/captured-meeting.js';
import { IS_BBB_LONG } from './support/long.js';
import { startServer } from './support/server.js';
import { until } from './support/until.js';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const SIZES = [
  ['tab', 1280, 720, 25],
  ['tab', 1920, 1080, 15],
  ['display', 1280, 720, 20],
] as const;
// bbb.test.ts tries a tab in 720p each time, with the whole server.
describe.runIf(IS_BBB_LONG)('at length', () => {
  test.each(SIZES)(
    'a meeting is captured from its %s in %ix%i and published',
    async (method, width, height, pictures) => {
      const sluice = await startServer();
      closing.push(() => sluice.stop());
      const stub = await BbbStub.start();
      closing.push(() => stub.stop());
      stub.meetings.create({ meetingID: 'room' });
      const profile = { ...SMALL_PROFILE, method, width, height, fps: 30, videoKbps: 2500, audioKbps: 128 };
      const browser = await launchBrowser(profile);
      closing.push(() => browser.close());
      const states: string[] = [];
      const publisher = new Publisher({
        target: allowTarget(`${sluice.rtmp}/live/meeting`, [sluice.rtmp]),
        log: silentLogger,
        onState: ({ kind }) => states.push(kind),
      });
      closing.push(() => publisher.close());
      const meeting = await captureMeeting({
        browser,
        profile,
        link: listenerLink(stub, 'room'),
        onEvent: (event) => {
          if (event.type === 'config') publisher.config(event.config);
          else if (event.type === 'sample') publisher.sample(event.sample);
        },
      });
      closing.push(() => meeting.close());
      await until('it is published', () => publisher.pictures > 60, 30_000);
      const seen = await lookAtCapture(`${sluice.http}/live/meeting.flv`, 10);
      expect(seen).toMatchObject({ width, height, videoCodec: 'h264', audioCodec: 'aac', channels: 2 });
      expect(seen.distinctPerSecond).toBeGreaterThanOrEqual(pictures);
      expect(seen.offsetsMs.length).toBeGreaterThanOrEqual(7);
      // Where a picture was left out, a flash is seen late; what most of them say is how sound and picture stand.
      const offsets = seen.offsetsMs.map(Math.abs).sort((a, b) => a - b);
      expect(offsets[Math.floor(offsets.length / 2)], `of ${seen.offsetsMs}`).toBeLessThanOrEqual(80);
      expect(seen.toneShare).toBeGreaterThan(0.95);
      for (const [part, share] of Object.entries(seen.forbidden)) expect(share, part).toBeLessThan(0.001);
      expect(states).toEqual(['waiting', 'connecting', 'live']);
    },
    120_000,
  );
});
