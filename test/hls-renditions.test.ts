import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { playerReport, startBrowser, type TestBrowser } from './support/browser.js';
import { makeClip } from './support/clip.js';
import { validateLive } from './support/hls-validator/validate-live.js';
import { ClipPublisher } from './support/publisher.js';
import { startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';

/** A line that carries the small rendition, and not the source. */
const NARROW = { offline: false, latency: 10, downloadThroughput: 100_000, uploadThroughput: 100_000 };
const WIDE = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 };

describe('HLS in several qualities', () => {
  let sluice: TestServer;
  let browser: TestBrowser;
  let publisher: ClipPublisher;
  beforeAll(async () => {
    sluice = await startServer(`
      hls: { segmentSeconds: 1 }
      transcode:
        cpuBudget: 4
        renditions: { small: { height: 90, videoBitrate: 150, preset: ultrafast } }`);
    const clip = await makeClip('h264', 20, { bitrate: 2_500_000 });
    publisher = await ClipPublisher.start(`${sluice.rtmp}/live/show`, clip, { loop: true });
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser.close();
    await publisher.stop();
    await sluice.stop();
  });

  it('lists them in one playlist, by the rules', async () => {
    const url = `${sluice.http}/live/show.m3u8`;
    const text = await (await fetch(url)).text();
    expect(text).toMatch(/^#EXT-X-STREAM-INF:BANDWIDTH=\d+,CODECS="avc1\.\S+,mp4a\.40\.2",RESOLUTION=320x180/m);
    expect(text).toMatch(/^show\.m3u8\?source=1$/m);
    expect(text).toMatch(/^show\/small\.m3u8$/m);
    // It is made because somebody asks for it.
    expect((await fetch(`${sluice.http}/live/show/small.m3u8`)).status).toBe(200);
    expect((await fetch(`${sluice.http}/live/show/other.m3u8`)).status).toBe(404);
    const findings = await validateLive(url, { seconds: 6, jitterSeconds: 1.5 });
    const musts = findings.filter(({ level, rule }) => level === 'must' && rule !== 'bandwidth-exceeded');
    expect(musts.map(({ rule, detail, playlistUrl }) => `${rule}: ${detail} (${playlistUrl})`)).toEqual([]);
  }, 60_000);

  it('lets hls.js go down and up again with the line', async () => {
    const page = await browser.newPage();
    const control = await page.context().newCDPSession(page);
    await control.send('Network.enable');
    await page.goto(`${sluice.http}/player/live/show?protocol=hls&muted=1`);
    const width = async () => (await playerReport(page)).videoWidth;
    await until('the source is shown', async () => (await width()) === 320, 30_000);
    await control.send('Network.emulateNetworkConditions', NARROW);
    await until('the small one is shown', async () => (await width()) === 160, 60_000);
    await control.send('Network.emulateNetworkConditions', WIDE);
    await until('the source is shown again', async () => (await width()) === 320, 60_000);
    await page.close();
  }, 180_000);

  it('lets viewers choose, over HLS and over protocols that have one quality each', async () => {
    const page = await browser.newPage();
    const width = async () => (await playerReport(page)).videoWidth;
    const cases = [
      ['hls', '90p'],
      ['flv', 'small'],
    ] as const;
    for (const [protocol, name] of cases) {
      await page.goto(`${sluice.http}/player/live/show?protocol=${protocol}&muted=1`);
      await page.getByRole('button', { name: 'Settings' }).click();
      const qualities = page.getByLabel('Quality');
      if (protocol === 'hls') await qualities.selectOption('180p');
      await until('the source is shown', async () => (await width()) === 320, 30_000);
      await qualities.selectOption(name);
      await until('the small one is shown', async () => (await width()) === 160, 30_000);
    }
    await page.close();
  }, 90_000);
});
