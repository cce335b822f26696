import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser, type TestBrowser } from './support/browser.js';
import { makeClip } from './support/clip.js';
import { IS_LONG } from './support/long.js';
import { PeerPage, SEND_CAMERA } from './support/peer-page.js';
import { ClipPublisher } from './support/publisher.js';
import { startServer, type TestServer } from './support/server.js';

/** A minute in `npm run test:long`. */
const SECONDS = IS_LONG ? 60 : 6;

describe('A viewer over WebRTC', () => {
  let sluice: TestServer;
  let browser: TestBrowser;
  beforeAll(async () => {
    sluice = await startServer();
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser.close();
    await sluice.stop();
  });

  async function watched(path: string): Promise<void> {
    const viewer = await PeerPage.open(browser, `${sluice.http}/whep/${path}`);
    await viewer.showsMore(25);
    await viewer.hears();
    const [before, heard] = [await viewer.stats('inbound-rtp', 'video'), await viewer.stats('inbound-rtp', 'audio')];
    // Pictures a second are known by now: as many as that must come, whatever the clock of this machine says.
    await viewer.showsMore(SECONDS * 20, SECONDS * 2000 + 10_000);
    const [after, sounds] = [await viewer.stats('inbound-rtp', 'video'), await viewer.stats('inbound-rtp', 'audio')];
    expect((after.freezeCount ?? 0) - (before.freezeCount ?? 0)).toBe(0);
    expect(after.packetsLost).toBe(before.packetsLost);
    expect(sounds.totalAudioEnergy).toBeGreaterThan(heard.totalAudioEnergy ?? 0);
    // Of the sound next to nothing was made up.
    const concealed = (sounds.concealedSamples ?? 0) - (heard.concealedSamples ?? 0);
    expect(concealed / ((sounds.totalSamplesReceived ?? 0) - (heard.totalSamplesReceived ?? 0))).toBeLessThan(0.05);
    await viewer.close();
  }

  it(`has picture and sound of an RTMP encoder, without a freeze, for ${SECONDS} s`, async () => {
    const clip = await makeClip('h264', 20);
    const publisher = await ClipPublisher.start(`${sluice.rtmp}/live/encoder`, clip, { loop: true });
    await watched('live/encoder');
    await publisher.stop();
  }, 200_000);

  it.runIf(IS_LONG)(
    `has picture and sound of a browser, without a freeze, for ${SECONDS} s`,
    async () => {
      const camera = await PeerPage.open(browser, `${sluice.http}/whip/live/camera`, { setUp: SEND_CAMERA });
      await watched('live/camera');
      await camera.close();
    },
    200_000,
  );
});
