import { captionsIn } from '@sluice/media';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser, type TestBrowser, VIDEO } from './support/browser.js';
import { captioned, cea608, HELLO } from './support/captions.js';
import { type Clip, makeClip } from './support/clip.js';
import { validateLive } from './support/hls-validator/validate-live.js';
import { ClipPublisher } from './support/publisher.js';
import { startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';
import { HlsViewer } from './support/viewers.js';

/** A clip whose first picture of each second begins to say "HELLO". */
async function captionedClip(): Promise<Clip> {
  const clip = await makeClip('h264', 20);
  let sinceKeyframe = 0;
  const samples = clip.samples.map((sample) => {
    if (sample.kind !== 'video') return sample;
    sinceKeyframe = sample.keyframe ? 0 : sinceKeyframe + 1;
    return captioned(sample, [HELLO[sinceKeyframe] ?? cea608(0, 0)]);
  });
  return { ...clip, samples };
}

describe('captions over HLS', () => {
  let sluice: TestServer;
  const publishers: ClipPublisher[] = [];
  let browser: TestBrowser;
  beforeAll(async () => {
    // hls.js 1.7.4 shows none of MP4 that has sound and picture in one; and its parser begins anew with each part.
    sluice = await startServer(`
      hls: { segmentSeconds: 1, container: mpegts }
      transcode:
        cpuBudget: 4
        renditions: { small: { height: 90, videoBitrate: 150, preset: ultrafast } }
      paths: { "alone/*": { transcode: { renditions: {} } } }`);
    const clip = await captionedClip();
    for (const app of ['live', 'alone']) {
      publishers.push(await ClipPublisher.start(`${sluice.rtmp}/${app}/show`, clip, { loop: true }));
    }
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser.close();
    for (const publisher of publishers) await publisher.stop();
    await sluice.stop();
  });

  it('are told in the playlist of all versions, and are in each of them', async () => {
    const url = `${sluice.http}/live/show.m3u8`;
    await until('there is a playlist', async () => (await (await fetch(url)).text()).includes('#EXT-X-STREAM-INF'));
    const text = await (await fetch(url)).text();
    expect(text).toContain('#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="CC1",INSTREAM-ID="CC1"\n');
    expect(text.match(/^#EXT-X-STREAM-INF:.*,CLOSED-CAPTIONS="cc"$/gm)).toHaveLength(2);
    const viewer = new HlsViewer(`${sluice.http}/live/show/small.m3u8`);
    const findings = await validateLive(url, { seconds: 4, jitterSeconds: 1.5 });
    const ofCaptions = findings.filter(({ rule }) => /captions|instream|group|multivariant/.test(rule));
    expect(ofCaptions.map(({ rule, detail }) => `${rule}: ${detail}`)).toEqual([]);
    const heard = () =>
      viewer.samples.filter((sample) => sample.kind === 'video' && captionsIn(sample, 'h264').cea608.CC1);
    await until('the rendition has them', () => heard().length > 4);
    await viewer.leave();
  });

  it.each(['live', 'alone'])('are read by hls.js of %s, with a playlist of all versions and without', async (app) => {
    const playlist = await (await fetch(`${sluice.http}/${app}/show.m3u8`)).text();
    expect(playlist.includes('#EXT-X-STREAM-INF')).toBe(app === 'live');
    const page = await browser.newPage();
    await page.goto(`${sluice.http}/player/${app}/show?protocol=hls&muted=1`);
    const captions = async () =>
      String(
        await page.evaluate(`[...(${VIDEO}?.textTracks ?? [])]
          .map(({ label, cues }) => [label, ...[...(cues ?? [])].map(({ text }) => text)].join()).join()`),
      );
    await until('it has read them', async () => (await captions()).includes('HELLO'), 30_000);
    // Else it gives them a name of its own.
    expect((await captions()).startsWith('CC1,')).toBe(app === 'live');
    const showing = () => page.evaluate(`[...${VIDEO}.textTracks].filter(({ mode }) => mode === 'showing').length`);
    await page.getByRole('button', { name: 'Captions on' }).waitFor();
    expect(await showing()).toBe(0);
    await page.keyboard.press('c');
    expect(await showing()).toBe(1);
    await page.getByRole('button', { name: 'Settings' }).click();
    await page.getByRole('combobox', { name: 'Captions' }).selectOption('Off');
    expect(await showing()).toBe(0);
    await page.close();
  });
});
