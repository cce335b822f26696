import { get } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { playerReport, startBrowser, type TestBrowser, VIDEO } from './support/browser.js';
import { makeClip } from './support/clip.js';
import { ClipPublisher } from './support/publisher.js';
import { startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';

const WATCHED_MS = 8000;

/** What a playlist ends with. */
interface End {
  readonly segment: number;
  readonly part: number;
  readonly hint: string;
}

function endOf(playlist: string): End {
  const [, hint = '', segment, part] =
    /#EXT-X-PRELOAD-HINT:TYPE=PART,URI="([^"]+-(\d+)\.(\d+)\.m4s)"/.exec(playlist) ?? [];
  if (segment === undefined || part === undefined) throw new Error(`no preload hint:\n${playlist}`);
  return { hint, segment: Number(segment), part: Number(part) };
}

describe('Low-Latency HLS', () => {
  let sluice: TestServer;
  let publisher: ClipPublisher;
  beforeAll(async () => {
    sluice = await startServer('hls: { segmentSeconds: 2, segments: 8 }');
    publisher = await ClipPublisher.start(`${sluice.rtmp}/live/low`, await makeClip('h264', 20), { loop: true });
    await until('there are parts', async () => (await playlist()).includes('#EXT-X-PART:'), 30_000);
  });
  afterAll(async () => {
    await publisher.stop();
    await sluice.stop();
  });

  const url = (query = '') => `${sluice.http}/live/low.m3u8${query}`;
  const playlist = async (query = '') => (await fetch(url(query))).text();

  /** A playlist's end with some parts to come in its segment. */
  const earlyEnd = async () => {
    let end = endOf(await playlist());
    await until('a segment has just begun', async () => {
      end = endOf(await playlist());
      return end.part > 0 && end.part < 4;
    });
    return end;
  };
  const listing = (part: string) => new RegExp(`#EXT-X-PART:[^\n]*${part}`);

  it('answers a blocking reload when the part is there, and not before', async () => {
    const { segment, part, hint } = await earlyEnd();
    // The third from now: who answers at once can't list it.
    const text = await playlist(`?_HLS_msn=${segment}&_HLS_part=${part + 2}`);
    const third = hint.replace(`-${segment}.${part}.`, `-${segment}.${part + 2}.`);
    expect(text).toMatch(listing(third));
    const end = endOf(text);
    expect(end.segment > segment || end.part > part + 2).toBe(true);
  });

  it('answers what is hinted at when it is there', async () => {
    const { segment, part, hint } = await earlyEnd();
    const hinted = fetch(new URL(hint, url()));
    const listed = await playlist(`?_HLS_msn=${segment}&_HLS_part=${part}`);
    const response = await hinted;
    expect(response.status).toBe(200);
    expect(listed).toMatch(listing(hint));
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(bytes.toString('latin1')).toContain('moof');
    const again = await fetch(new URL(hint, url()));
    expect(Buffer.from(await again.arrayBuffer()).equals(bytes)).toBe(true);
  });

  it('refuses what is further ahead than anybody can know', async () => {
    const { segment } = endOf(await playlist());
    for (const query of [
      `?_HLS_msn=${segment + 10}`,
      '?_HLS_part=1',
      '?_HLS_msn=x',
      `?_HLS_msn=${segment}&_HLS_part=-1`,
    ]) {
      const response = await fetch(url(query));
      expect(response.status, query).toBe(400);
      expect(await response.json()).toMatchObject({ error: { code: 'bad-position' } });
    }
  });

  it('leaves out of an update what a player has', async () => {
    const skipped = async () => /SKIPPED-SEGMENTS=(\d+)/.exec(await playlist('?_HLS_skip=YES'))?.[1];
    await until('there is more than six target durations', async () => (await skipped()) !== undefined, 30_000);
    const [full, update] = [await playlist(), await playlist('?_HLS_skip=YES')];
    expect(update.length).toBeLessThan(full.length);
    expect(update.match(/#EXTINF/g)?.length).toBe(6);
  });

  it('compresses playlists for who takes that', async () => {
    const zipped = await new Promise<Buffer>((resolve, reject) => {
      get(url(), { headers: { 'Accept-Encoding': 'gzip' }, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          if (response.headers['content-encoding'] === 'gzip') resolve(Buffer.concat(chunks));
          else reject(new Error('the playlist is not compressed'));
        });
      }).on('error', reject);
    });
    const text = gunzipSync(zipped).toString();
    expect(endOf(text).hint).toContain('low/hls/');
    expect(zipped.length).toBeLessThan(text.length / 2);
  });
});

describe('the player page with Low-Latency HLS', () => {
  let sluice: TestServer;
  let browser: TestBrowser;
  let publisher: ClipPublisher;
  beforeAll(async () => {
    sluice = await startServer('hls: { segmentSeconds: 2 }');
    browser = await startBrowser();
    publisher = await ClipPublisher.start(`${sluice.rtmp}/live/low`, await makeClip('h264', 60), { loop: true });
  });
  afterAll(async () => {
    await publisher.stop();
    await browser.close();
    await sluice.stop();
  });

  it('plays parts, less than 3 s late and without a stall', async () => {
    const page = await browser.newPage();
    const parts = new Set<string>();
    page.on('response', (response) => {
      if (/-\d+\.\d+\.m4s$/.test(response.url())) parts.add(response.url());
    });
    await page.goto(`${sluice.http}/player/live/low?protocol=ll-hls&muted=1`);
    const latency = async () => (await playerReport(page)).latencySeconds ?? Number.POSITIVE_INFINITY;
    await until('it plays less than 3 s late', async () => (await latency()) < 3 && parts.size > 10, 30_000);
    const seen = await page.evaluate<{ stalledMs: number; played: number }>(`new Promise((resolve) => {
      const video = ${VIDEO};
      const from = video.currentTime;
      let [stalledMs, stalledAt] = [0, 0];
      const goesOn = () => {
        if (stalledAt > 0) stalledMs += performance.now() - stalledAt;
        stalledAt = 0;
      };
      video.addEventListener('waiting', () => (stalledAt ||= performance.now()));
      video.addEventListener('playing', goesOn);
      setTimeout(() => {
        goesOn();
        resolve({ stalledMs, played: video.currentTime - from });
      }, ${WATCHED_MS});
    })`);
    // A change of rate may wait for a moment that nobody sees.
    expect(seen.stalledMs).toBeLessThan(100);
    expect(seen.played * 1000).toBeGreaterThan(WATCHED_MS * 0.9);
    expect(await latency()).toBeLessThan(3);
    expect(await playerReport(page)).toMatchObject({ state: 'playing', errors: 0 });
    await page.close();
  });
});
