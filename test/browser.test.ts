import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { playerReport, startBrowser, type TestBrowser } from './support/browser.js';
import { makeClip } from './support/clip.js';
import { ClipPublisher } from './support/publisher.js';
import { startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';

const DEMO = fileURLToPath(new URL('../packages/server/demo/demo.flv', import.meta.url));

describe('Chromium', () => {
  let sluice: TestServer;
  let browser: TestBrowser;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    sluice = await startServer('hls: { segmentSeconds: 1 }');
  });
  afterEach(() => sluice.stop());

  it('lists live streams on the start page, from where the player opens', async () => {
    const page = await browser.newPage();
    await page.goto(sluice.http);
    await page.getByText('Nothing is live yet.').waitFor();
    await page.getByText('rtmp://127.0.0.1').first().waitFor();
    await sluice.server.publishLoop(DEMO, 'live/demo');
    await page.getByRole('link', { name: /live\/demo/ }).click();
    await until('it plays', async () => (await playerReport(page)).framesDecoded > 10, 30_000);
    expect(new URL(page.url()).pathname).toBe('/player/live/demo');
    await page.close();
  });

  it('says that a stream is not live yet, starts when it is, and survives its encoder', async () => {
    const page = await browser.newPage();
    await page.goto(`${sluice.http}/player/live/show`);
    await page.getByText('live/show is not live yet. It will start by itself.').waitFor();
    const clip = await makeClip('h264', 2);
    const first = await ClipPublisher.start(`${sluice.rtmp}/live/show`, clip, { loop: true });
    await until('it plays', async () => (await playerReport(page)).framesDecoded > 30, 30_000);
    first.kill();
    await page.getByText('Waiting for the encoder to come back').waitFor();
    const before = (await playerReport(page)).framesDecoded;
    const second = await ClipPublisher.start(`${sluice.rtmp}/live/show`, clip, { loop: true });
    await until('it goes on', async () => (await playerReport(page)).framesDecoded > before + 30, 30_000);
    await page.close();
    await second.stop();
  });

  it('is worked by keys, and tells which', async () => {
    await sluice.server.publishLoop(DEMO, 'live/demo');
    const page = await browser.newPage();
    await page.goto(`${sluice.http}/player/live/demo`);
    await until('it plays', async () => (await playerReport(page)).framesDecoded > 10, 30_000);
    const video = page.locator('video');
    await page.keyboard.press('m');
    expect(await video.evaluate((element) => (element as unknown as { muted: boolean }).muted)).toBe(true);
    await page.keyboard.press('k');
    expect(await video.evaluate((element) => (element as unknown as { paused: boolean }).paused)).toBe(true);
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await page.close();
  });
});
