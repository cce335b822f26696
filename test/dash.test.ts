import { execFile } from 'node:child_process';
import { get } from 'node:http';
import { promisify } from 'node:util';
import { Fmp4Reader, type Sample } from '@sluice/media';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { api } from './support/api.js';
import { startBrowser, type TestBrowser } from './support/browser.js';
import { makeClip } from './support/clip.js';
import { faultsOf, updateFaults } from './support/dash/check-mpd.js';
import { DashPage } from './support/dash/dash-page.js';
import { childOf, childrenOf, type ListedSegment, type MpdElement, parseMpd, segmentsOf } from './support/dash/mpd.js';
import { ffprobe } from './support/ffmpeg.js';
import { IS_LONG } from './support/long.js';
import { ClipPublisher } from './support/publisher.js';
import { startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';

const run = promisify(execFile);
const CONFIG = 'dash: { segmentSeconds: 1 }';

async function mpdAt(url: string): Promise<MpdElement> {
  const response = await fetch(url);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('application/dash+xml');
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

/** When each piece of a response's body came, ms. */
function arrivals(url: string): Promise<{ readonly times: readonly number[]; readonly chunked: boolean }> {
  return new Promise((resolve, reject) => {
    get(url, (response) => {
      const times: number[] = [];
      response.on('data', () => times.push(performance.now()));
      response.on('end', () => resolve({ times, chunked: response.headers['transfer-encoding'] === 'chunked' }));
    }).on('error', reject);
  });
}

describe('DASH', () => {
  let sluice: TestServer;
  let publisher: ClipPublisher | undefined;
  let url = '';
  beforeEach(async () => {
    sluice = await startServer(CONFIG);
    url = `${sluice.http}/live/show.mpd`;
  });
  afterEach(async () => {
    await publisher?.stop();
    publisher = undefined;
    await sluice.stop();
  });
  const publish = async (kind: Parameters<typeof makeClip>[0], seconds = 4) => {
    const clip = await makeClip(kind, seconds);
    publisher = await ClipPublisher.start(`${sluice.rtmp}/live/show`, clip, { loop: true });
  };

  it.each(IS_LONG ? (['h264-b', 'hevc', 'none'] as const) : (['h264-b'] as const))(
    'keeps to ISO 23009-1 over a live window of %s',
    async (kind) => {
      // Longer than it is watched, for its sound to have no seam where it begins again.
      await publish(kind, 20);
      const seen = new Map<string, ListedSegment>();
      const faults: string[] = [];
      let before = await mpdAt(url);
      await until('twelve segments of each track were listed', async () => {
        const mpd = await mpdAt(url);
        faults.push(...faultsOf(mpd, url), ...updateFaults(before, mpd, url));
        before = mpd;
        for (const segment of segmentsOf(mpd, url)) seen.set(segment.url, segment);
        return seen.size >= (kind === 'none' ? 12 : 24);
      });
      expect(faults).toEqual([]);
      // What is said of finished segments is what they hold.
      const finished = segmentsOf(before, url).filter(({ number }) => number <= 9);
      expect(finished.length).toBeGreaterThan(kind === 'none' ? 4 : 10);
      for (const segment of finished) {
        const samples = await samplesOf(segment);
        const first = Math.min(...samples.map(({ pts }) => pts)) / 1_000_000;
        expect(first).toBeCloseTo(segment.time / segment.timescale, 4);
        expect(samples[0]?.keyframe).toBe(true);
      }
    },
  );

  it('plays in ffmpeg, all of it', async () => {
    await publish('h264');
    await mpdAt(url);
    const { stderr } = await run('ffmpeg', [
      ...['-hide_banner', '-nostdin', '-v', 'error', '-xerror', '-i', url, '-t', '6', '-f', 'null', '-'],
    ]);
    expect(stderr).toBe('');
    const { packets, streams } = await ffprobe(url, ['-read_intervals', '%+4']);
    expect(streams.map(({ codec_name }) => codec_name).sort()).toEqual(['aac', 'h264']);
    const times = packets.filter(({ codec_type }) => codec_type === 'video').map(({ dts_time }) => Number(dts_time));
    expect(times.length).toBeGreaterThan(75);
    for (const [at, time] of times.slice(1).entries()) expect(time - (times[at] ?? 0)).toBeCloseTo(0.04, 2);
  });

  it('sends a segment while it is made, and to who asks for it ahead of its time', async () => {
    await publish('h264');
    const next = segmentsOf(await mpdAt(url), url).filter(({ representation }) => representation === 'v0');
    // The last that is listed has not begun.
    const { times, chunked } = await arrivals(next.at(-1)?.url ?? '');
    expect(chunked).toBe(true);
    expect(times.length).toBeGreaterThanOrEqual(4);
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(600);
    expect((await arrivals(next.at(-1)?.url ?? '')).chunked).toBe(false);
    const beyond = (next.at(-1)?.url ?? '').replace(/\d+(?=\.m4s)/, '999999');
    expect((await fetch(beyond)).status).toBe(404);
  });

  it('tells the time', async () => {
    const response = await fetch(`${sluice.http}/time`);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(Math.abs(Date.parse(await response.text()) - Date.now())).toBeLessThan(2000);
    await publish('h264');
    const { value = '' } = childOf(await mpdAt(url), 'UTCTiming').attributes;
    expect(new URL(value, url).href).toBe(`${sluice.http}/time`);
  });

  it('begins a period when the encoder comes back, and another when it comes with another codec', async () => {
    await publish('h264');
    await mpdAt(url);
    publisher?.kill();
    await publish('h264');
    await until('there is a second period', async () => childrenOf(await mpdAt(url), 'Period').length === 2);
    publisher?.kill();
    await publish('hevc');
    let mpd = await mpdAt(url);
    await until('there is a third', async () => {
      mpd = await mpdAt(url);
      return childrenOf(mpd, 'Period').at(-1)?.attributes.id === '3';
    });
    expect(faultsOf(mpd, url)).toEqual([]);
    const codecs = childrenOf(mpd, 'Period').map((period) =>
      childrenOf(period, 'AdaptationSet').map((set) => childOf(set, 'Representation').attributes.codecs?.slice(0, 4)),
    );
    expect(codecs.at(-1)).toEqual(['hvc1', 'mp4a']);
    expect(codecs.at(-2)).toEqual(['avc1', 'mp4a']);
  });

  it('says when the stream is over, and keeps its segments for who is behind', async () => {
    await sluice.stop();
    sluice = await startServer(`${CONFIG}\npublish: { graceSeconds: 0 }`);
    url = `${sluice.http}/live/show.mpd`;
    await publish('h264');
    await mpdAt(url);
    await publisher?.stop();
    await until('it is over', async () => (await mpdAt(url)).attributes.minimumUpdatePeriod === undefined);
    const mpd = await mpdAt(url);
    expect(faultsOf(mpd, url)).toEqual([]);
    for (const segment of segmentsOf(mpd, url)) expect((await samplesOf(segment)).length).toBeGreaterThan(0);
    expect((await fetch(`${sluice.http}/live/other.mpd`)).status).toBe(404);
  });

  it.runIf(IS_LONG)('lists finished segments only where low latency is off, and nothing where DASH is', async () => {
    await sluice.stop();
    sluice = await startServer(
      'dash: { segmentSeconds: 1, lowLatency: false }\npaths: { "live/off": { dash: { enabled: false } } }',
    );
    url = `${sluice.http}/live/show.mpd`;
    await publish('h264');
    const mpd = await mpdAt(url);
    expect(faultsOf(mpd, url)).toEqual([]);
    const [period] = childrenOf(mpd, 'Period');
    const { attributes } = childOf(childOf(period!, 'AdaptationSet'), 'SegmentTemplate');
    expect(attributes.availabilityTimeComplete).toBeUndefined();
    expect(childrenOf(mpd, 'ServiceDescription')).toEqual([]);
    for (const segment of segmentsOf(mpd, url)) expect((await arrivals(segment.url)).chunked).toBe(false);
    const off = await ClipPublisher.start(`${sluice.rtmp}/live/off`, await makeClip('h264', 2), { loop: true });
    expect((await fetch(`${sluice.http}/live/off.mpd`)).status).toBe(404);
    await off.stop();
  });
});

describe('DASH for who shows a credential', () => {
  it('lets a viewer on by the session in the URLs, until it is cut', async () => {
    const sluice = await startServer(`${CONFIG}\naccess: { play: credential }`);
    const publisher = await ClipPublisher.start(`${sluice.rtmp}/live/show`, await makeClip('h264', 2), { loop: true });
    const url = `${sluice.http}/live/show.mpd`;
    expect((await fetch(url)).status).toBe(401);
    const { body } = await api<{ query: string }>(sluice, 'POST', '/api/v2/tokens', { path: 'live/*', viewer: 'anna' });
    const [segment] = segmentsOf(await mpdAt(`${url}${body.query}`), url);
    for (const resource of [segment?.url ?? '', segment?.init ?? '']) {
      expect(new URL(resource).search).toMatch(/^\?session=[\w-]{22}$/);
      expect((await bytesOf(resource)).length).toBeGreaterThan(0);
      expect((await fetch(resource.replace(/=.*/, '=made-up'))).status).toBe(401);
    }
    const sessions = await api<{ sessions: { id: string }[] }>(sluice, 'GET', '/api/v2/sessions?protocol=dash');
    expect(sessions.body).toMatchObject({ sessions: [{ path: 'live/show', protocol: 'dash', viewer: 'anna' }] });
    await api(sluice, 'DELETE', `/api/v2/sessions/${sessions.body.sessions[0]?.id}`);
    expect((await fetch(segment?.url ?? '')).status).toBe(401);
    await publisher.stop();
    await sluice.stop();
  });
});

describe('DASH in dash.js', () => {
  let browser: TestBrowser;
  let sluice: TestServer;
  beforeAll(async () => {
    browser = await startBrowser();
    sluice = await startServer(CONFIG);
  });
  afterAll(async () => {
    await browser.close();
    await sluice.stop();
  });

  it.each([...(IS_LONG ? ([['h264', 'low']] as const) : []), ['h264-b', 'b-frames']] as const)(
    'plays %s a second or two behind live',
    async (kind, name) => {
      const publisher = await ClipPublisher.start(`${sluice.rtmp}/live/${name}`, await makeClip(kind, 4), {
        loop: true,
      });
      const page = await DashPage.open(browser, `${sluice.http}/live/${name}.mpd`);
      await until('it plays', async () => (await page.report()).framesDecoded > 150, 30_000);
      const report = await page.report();
      expect(report).toMatchObject({ width: 320, errors: [] });
      expect(report.latency).toBeLessThan(2.5);
      await page.close();
      await publisher.stop();
    },
  );

  it.runIf(IS_LONG)('plays on into the period of an encoder that came back', async () => {
    const clip = await makeClip('h264', 4);
    const target = `${sluice.rtmp}/live/back`;
    const first = await ClipPublisher.start(target, clip, { loop: true });
    const page = await DashPage.open(browser, `${sluice.http}/live/back.mpd`);
    await until('it plays', async () => (await page.report()).framesDecoded > 60, 30_000);
    first.kill();
    const shown = (await page.report()).framesDecoded;
    let before = -1;
    await until('it waits for the encoder', async () => {
      const { currentTime } = await page.report();
      const stands = currentTime === before;
      before = currentTime;
      return stands;
    });
    const second = await ClipPublisher.start(target, clip, { loop: true });
    await until('it goes on', async () => (await page.report()).framesDecoded > shown + 75, 30_000);
    expect((await page.report()).period).toBe('2');
    await page.close();
    await second.stop();
  });
});
