import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Fmp4Reader, type Sample } from '@sluice/media';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { api } from './support/api.js';
import { startBrowser } from './support/browser.js';
import { type Clip, makeClip } from './support/clip.js';
import { faultsOf, updateFaults } from './support/dash/check-mpd.js';
import { DashPage } from './support/dash/dash-page.js';
import { childOf, childrenOf, type ListedSegment, type MpdElement, parseMpd, segmentsOf } from './support/dash/mpd.js';
import { IS_LONG } from './support/long.js';
import { ClipPublisher } from './support/publisher.js';
import { startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';

const run = promisify(execFile);
const LADDER = `
dash: { segmentSeconds: 1 }
transcode:
  cpuBudget: 4
  renditions:
    small: { height: 90, videoBitrate: 150, preset: ultrafast }
    middle: { height: 144, videoBitrate: 300 }
    sound: { codec: none, audioBitrate: 64 }
`;
/** It costs more than there is. */
const REFUSED = `
dash: { segmentSeconds: 1 }
transcode:
  cpuBudget: 0.1
  renditions: { dear: { height: 180, videoBitrate: 300, preset: veryslow } }
`;
/** A line with some way to it: dash.js takes what comes at once for what it had already, and learns nothing from it. */
const WIDE = { offline: false, latency: 60, downloadThroughput: 2_000_000, uploadThroughput: 2_000_000 };
const NARROW = { ...WIDE, downloadThroughput: 100_000 };

async function mpdAt(url: string): Promise<MpdElement> {
  const response = await fetch(url);
  expect(response.status).toBe(200);
  return parseMpd(await response.text());
}

async function bytesOf(url: string): Promise<Buffer> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

async function samplesOf({ init, url }: ListedSegment): Promise<Sample[]> {
  const events = new Fmp4Reader().push(Buffer.concat([await bytesOf(init), await bytesOf(url)]));
  return events.flatMap((event) => (event.type === 'sample' ? [event.sample] : []));
}

/** Decoding times as the segment has them, by `tfdt`. */
const timesOf = (samples: readonly Sample[]): number[] => samples.map(({ dts }) => dts);

const setsOf = (mpd: MpdElement) => childrenOf(childrenOf(mpd, 'Period').at(-1) ?? mpd, 'AdaptationSet');
const idsOf = (set: MpdElement | undefined) =>
  set === undefined ? [] : childrenOf(set, 'Representation').map(({ attributes }) => attributes.id);

/** What a player begins with, and what it shows. */
const FIRST: readonly (readonly [string, string, readonly string[]])[] = [
  ['made for it', LADDER, ['small', 'middle', 'v0']],
  ['that can not be made', REFUSED, ['v0']],
];

describe('DASH in several qualities', () => {
  const closing: (() => Promise<void>)[] = [];
  let clip: Clip;
  beforeAll(async () => {
    clip = await makeClip('h264', 12, { bitrate: 2_500_000 });
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function live(yaml = LADDER): Promise<{ sluice: TestServer; url: string; target: string }> {
    const sluice = await startServer(yaml);
    closing.push(() => sluice.stop());
    return {
      sluice,
      url: `${sluice.http}/live/show.mpd`,
      target: `${sluice.rtmp}/live/show`,
    };
  }

  async function publish(target: string, picture = clip): Promise<ClipPublisher> {
    const publisher = await ClipPublisher.start(target, picture, { loop: true });
    closing.push(() => publisher.stop());
    return publisher;
  }

  const ladderState = async (sluice: TestServer) => {
    const { body } = await api<{ jobs: { state: string }[] }>(sluice, 'GET', '/api/v2/transcodes');
    return body.jobs[0]?.state;
  };

  it('lists them before they are made, with one timeline for all', async () => {
    const { sluice, url, target } = await live();
    await publish(target);
    const first = await mpdAt(url);
    expect(faultsOf(first, url)).toEqual([]);
    const [picture, sound] = setsOf(first);
    expect([idsOf(picture), idsOf(sound), setsOf(first).length]).toEqual([['v0', 'small', 'middle'], ['a1'], 2]);
    const [, small] = childrenOf(picture!, 'Representation');
    expect(small?.attributes).toMatchObject({ codecs: 'avc1.64001e', bandwidth: '165000', width: '160', height: '90' });
    expect(await ladderState(sluice)).toBe('idle');

    const begun = segmentsOf(first, url).findLast(({ representation }) => representation === 'small');
    expect((await samplesOf(begun!)).length).toBe(25);
    expect(await ladderState(sluice)).toBe('running');
    let mpd = first;
    await until('there are three more', async () => {
      const now = await mpdAt(url);
      expect([...faultsOf(now, url), ...updateFaults(mpd, now, url)]).toEqual([]);
      mpd = now;
      return segmentsOf(now, url).some(({ number }) => number === begun!.number + 4);
    });
    for (let number = begun!.number; number < begun!.number + 3; number++) {
      const [own, ...made] = segmentsOf(mpd, url).filter(
        (segment) => segment.number === number && !segment.representation.startsWith('a'),
      );
      const samples = await samplesOf(own!);
      for (const rendition of made) {
        const theirs = await samplesOf(rendition);
        expect(timesOf(theirs)).toEqual(timesOf(samples));
        expect(theirs[0]?.keyframe).toBe(true);
        expect(theirs[0]?.data.length).not.toBe(samples[0]?.data.length);
      }
      expect(made.length).toBe(2);
    }
    // What was before it was made is a picture that stands.
    const [early] = segmentsOf(mpd, url).filter(({ representation }) => representation === 'small');
    expect(timesOf(await samplesOf(early!))).toEqual([timesOf(await samplesOf(segmentsOf(mpd, url)[0]!))[0]]);
  });

  it('plays in ffmpeg, each of them', async () => {
    const { url, target } = await live();
    await publish(target);
    await mpdAt(url);
    for (const [at, width] of [320, 160, 256].entries()) {
      const { stdout, stderr } = await run('ffmpeg', [
        ...['-hide_banner', '-nostdin', '-v', 'error', '-xerror', '-i', url, '-map', `0:v:${at}`, '-frames:v', '25'],
        ...['-vf', 'showinfo', '-f', 'framehash', '-'],
      ]);
      expect(stderr).toBe('');
      expect(stdout).toMatch(`#dimensions 0: ${width}x`);
      expect(stdout.match(/^0,/gm)).toHaveLength(25);
    }
  });

  it('has a set for each family of codecs, between which players may switch', async () => {
    const ladder = 'small: { height: 90, videoBitrate: 150, preset: ultrafast }';
    const { url, target } = await live(`
      dash: { segmentSeconds: 1 }
      transcode: { cpuBudget: 4, renditions: { ${ladder} } }`);
    await publish(target, await makeClip('hevc', 4));
    const mpd = await mpdAt(url);
    expect(faultsOf(mpd, url)).toEqual([]);
    const sets = setsOf(mpd);
    expect(sets.map(idsOf)).toEqual([['v0'], ['small'], ['a1']]);
    const switching = sets.flatMap((set) => childrenOf(set, 'SupplementalProperty'));
    expect(switching.map(({ attributes }) => attributes.value)).toEqual([
      sets[1]?.attributes.id,
      sets[0]?.attributes.id,
    ]);
    const made = segmentsOf(mpd, url).findLast(({ representation }) => representation === 'small');
    const own = segmentsOf(mpd, url).find((one) => one.representation === 'v0' && one.number === made?.number);
    expect(timesOf(await samplesOf(made!))).toEqual(timesOf(await samplesOf(own!)));
  });

  it.runIf(IS_LONG)('goes on in the period of an encoder that came back', async () => {
    const { url, target } = await live();
    const before = await publish(target);
    const newest = async (number: number) => {
      const all = segmentsOf(await mpdAt(url), url).filter(({ representation }) => representation === 'small');
      return all.findLast((segment) => segment.period === String(number));
    };
    expect((await samplesOf((await newest(1))!)).length).toBe(25);
    before.kill();
    await publish(target);
    await until('there is a second period', async () => (await newest(2)) !== undefined);
    const made = (await newest(2))!;
    const own = segmentsOf(await mpdAt(url), url).find(
      ({ representation, number, period }) => period === '2' && representation === 'v0' && number === made.number,
    );
    expect(timesOf(await samplesOf(made))).toEqual(timesOf(await samplesOf(own!)));
  });

  it('lets who may watch the stream watch its renditions, in one session', async () => {
    const { sluice, url, target } = await live(`access: { play: credential }\n${LADDER}`);
    await publish(target);
    const body = { path: 'live/show', viewer: 'anna' };
    const { body: token } = await api<{ query: string }>(sluice, 'POST', '/api/v2/tokens', body);
    const mpd = await mpdAt(`${url}${token.query}`);
    const made = segmentsOf(mpd, url).findLast(({ representation }) => representation === 'small')!;
    expect(new URL(made.url).search).toMatch(/^\?session=[\w-]{22}$/);
    expect((await samplesOf(made)).length).toBe(25);
    for (const [from, to] of [
      [/=.*/, '=made-up'],
      [/\?.*/, ''],
    ] as const) {
      expect((await fetch(made.url.replace(from, to))).status).toBe(401);
    }
    const { body: found } = await api<{ sessions: { id: string; path: string }[] }>(
      sluice,
      'GET',
      '/api/v2/sessions?protocol=dash',
    );
    expect(found.sessions.map(({ path }) => path)).toEqual(['live/show']);
    await api(sluice, 'DELETE', `/api/v2/sessions/${found.sessions[0]?.id}`);
    expect((await fetch(made.url)).status).toBe(401);
  });

  it('has the stream itself where one can not be made, and lists that one no more in the next period', async () => {
    const { url, target } = await live(REFUSED);
    await publish(target);
    const newest = segmentsOf(await mpdAt(url), url).filter(({ representation }) => representation !== 'a1');
    const dear = newest.find(({ representation }) => representation === 'dear');
    const own = newest.find(({ representation }) => representation === 'v0');
    expect((await bytesOf(dear!.init)).equals(await bytesOf(own!.init))).toBe(true);
    expect((await bytesOf(dear!.url)).equals(await bytesOf(own!.url))).toBe(true);
    let mpd = await mpdAt(url);
    await until('there is another period', async () => {
      mpd = await mpdAt(url);
      return childrenOf(mpd, 'Period').length === 2;
    });
    expect(faultsOf(mpd, url)).toEqual([]);
    expect(idsOf(setsOf(mpd)[0])).toEqual(['v0']);
    expect(idsOf(childOf(childOf(mpd, 'Period'), 'AdaptationSet'))).toEqual(['v0', 'dear']);
  });

  it.each(FIRST.filter(([, yaml]) => IS_LONG || yaml === LADDER))(
    'plays in dash.js, which begins with one %s',
    async (_, yaml, shown) => {
      const { url, target } = await live(yaml);
      await publish(target);
      const browser = await startBrowser();
      closing.push(() => browser.close());
      const page = await DashPage.open(browser, url);
      closing.push(() => page.close());
      await until('it plays', async () => (await page.report()).framesDecoded > 40, 30_000);
      const { errors, representation } = await page.report();
      expect([errors, shown.includes(representation)]).toEqual([[], true]);
    },
  );

  it.runIf(IS_LONG)(
    'plays on in dash.js when ffmpeg ends, and with the stream itself when a rendition does',
    async () => {
      const { sluice, url, target } = await live();
      await publish(target);
      const browser = await startBrowser();
      closing.push(() => browser.close());
      const abr = { autoSwitchBitrate: { video: false }, initialBitrate: { video: 165 } };
      const page = await DashPage.open(browser, url, { streaming: { abr } });
      closing.push(() => page.close());
      const shown = async () => (await page.report()).framesDecoded;
      await until('it plays', async () => (await shown()) > 40, 30_000);
      expect(await page.report()).toMatchObject({ width: 160, representation: 'small' });
      const { body } = await api<{ jobs: { pid: number }[] }>(sluice, 'GET', '/api/v2/transcodes');
      process.kill(body.jobs[0]!.pid, 'SIGKILL');
      const before = await shown();
      await until('it plays on', async () => (await shown()) > before + 100, 30_000);
      expect(await page.report()).toMatchObject({ width: 160, period: '1' });
      await api(sluice, 'DELETE', '/api/v2/streams/live/show/small');
      await until('another one is shown', async () => (await page.report()).width > 160, 30_000);
      const then = await shown();
      await until('that plays on', async () => (await shown()) > then + 50, 30_000);
      expect(await page.report()).toMatchObject({ period: '2', errors: [] });
    },
    120_000,
  );

  it.runIf(IS_LONG)(
    'lets dash.js go down and up again with the line',
    async () => {
      const { url, target } = await live();
      await publish(target);
      const browser = await startBrowser();
      closing.push(() => browser.close());
      const page = await DashPage.open(browser, url);
      closing.push(() => page.close());
      const control = await page.page.context().newCDPSession(page.page);
      await control.send('Network.enable');
      const width = async () => (await page.report()).width;
      await control.send('Network.emulateNetworkConditions', WIDE);
      await until('the source is shown', async () => (await width()) === 320, 30_000);
      await control.send('Network.emulateNetworkConditions', NARROW);
      await until('a smaller one is shown', async () => (await width()) < 320, 60_000);
      await control.send('Network.emulateNetworkConditions', WIDE);
      await until('the source is shown again', async () => (await width()) === 320, 60_000);
      expect((await page.report()).errors).toEqual([]);
    },
    180_000,
  );
});
