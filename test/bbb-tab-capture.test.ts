import { allowTarget, CaptureBrowser, findChromium, Publisher, TabCapture } from '@sluice/bbb-capture';
import { findFfmpeg, silentLogger } from '@sluice/core';
import { afterEach, expect, test } from 'vitest';
import { BbbStub } from './bbb-stub/src/index.js';
import { lookAtCapture } from './support/captured.js';
import { startServer } from './support/server.js';
import { until } from './support/until.js';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

test.each([
  [1280, 720, 25],
  [1920, 1080, 15],
])(
  'a tab of %ix%i is captured with its sound and published',
  async (width, height, pictures) => {
    const sluice = await startServer();
    closing.push(() => sluice.stop());
    const stub = await BbbStub.start();
    closing.push(() => stub.stop());
    stub.meetings.create({ meetingID: 'room' });
    const profile = { width, height, fps: 30, videoKbps: 2500, audioKbps: 128, locale: 'en' };
    const browser = await CaptureBrowser.launch({
      executable: findChromium(process.env.CHROMIUM_PATH, process.env),
      profile,
      log: silentLogger,
    });
    closing.push(() => browser.close());
    const lost: string[] = [];
    const publisher = new Publisher({
      target: allowTarget(`${sluice.rtmp}/live/meeting`, [sluice.rtmp]),
      log: silentLogger,
      onState: (state) => state.kind === 'lost' && lost.push(state.reason),
    });
    closing.push(() => publisher.close());
    let change = 0;
    let peak = 0;
    const capture = await TabCapture.start({
      browser,
      profile,
      ffmpeg: findFfmpeg(process.env) ?? 'ffmpeg',
      log: silentLogger,
      onEvent: (event) => {
        if (event.type === 'config') publisher.config(event.config);
        else if (event.type === 'sample') publisher.sample(event.sample);
        else if (event.type === 'look') change = event.change;
        else if (event.type === 'level') peak = event.peak;
        else lost.push(event.reason);
      },
    });
    closing.push(() => capture.close());
    const userdata = { 'userdata-bbb_force_listen_only': 'true', role: 'VIEWER', password: 'ap' };
    await capture.tab.goto(
      stub.joinUrl({
        meetingID: 'room',
        fullName: 'Stream',
        'userdata-bbb_show_session_details_on_join': 'false',
        ...userdata,
      }),
    );
    await until('the meeting is seen and heard', () => change > 0.1 && peak > 0.05, 30_000);
    await until('it is published', () => publisher.pictures > 60);
    const seen = await lookAtCapture(`${sluice.http}/live/meeting.flv`, 10);
    expect(seen).toMatchObject({ width, height, videoCodec: 'h264', audioCodec: 'aac', channels: 2 });
    expect(seen.distinctPerSecond).toBeGreaterThanOrEqual(pictures);
    expect(seen.offsetsMs.length).toBeGreaterThanOrEqual(7);
    // A flash whose first picture was left out is seen late: a busy machine may leave out one.
    const apart = seen.offsetsMs.filter((offset) => Math.abs(offset) > 80);
    expect(apart.length, `of ${seen.offsetsMs}`).toBeLessThanOrEqual(2);
    expect(seen.toneShare).toBeGreaterThan(0.98);
    expect(lost).toEqual([]);
  },
  120_000,
);
