import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { playerReport, startBrowser, type TestBrowser, VIDEO } from './support/browser.js';
import { validateLive } from './support/hls-validator/validate-live.js';
import { IS_LONG } from './support/long.js';
import { exited } from './support/publisher.js';
import { startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';

const WINDOW_SECONDS = IS_LONG ? 40 : 20;
/** The picture is grey, and lighter by so much each second. */
const STEP = 2;
const DARKEST = 30;
const PUBLISHED_SECONDS = 110;

/** An encoder in real time, whose picture tells how long it has been running. */
function publishAgeing(url: string): ChildProcess {
  const picture = `color=c=black:size=160x90:rate=25,geq=lum='${DARKEST}+${STEP}*floor(T)':cb=128:cr=128`;
  const codec = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-bf', '0', '-pix_fmt', 'yuv420p'];
  const source = ['-re', '-f', 'lavfi', '-t', String(PUBLISHED_SECONDS), '-i', picture];
  return spawn('ffmpeg', ['-hide_banner', '-nostdin', '-loglevel', 'error', ...source, ...codec, '-f', 'flv', url]);
}

/** How long the encoder had been running when it made the picture that is shown, in seconds. */
async function ageShown(page: Page): Promise<number> {
  const light = await page.evaluate<number>(`(() => {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = 8;
    const drawing = canvas.getContext('2d');
    const kept = document.querySelector('sluice-player').shadowRoot.querySelector('.last-frame:not([hidden])');
    drawing.drawImage(kept ?? ${VIDEO}, 0, 0, 8, 8);
    return drawing.getImageData(4, 4, 1, 1).data[0];
  })()`);
  // Video levels: 16 is black, 235 is white.
  return ((light / 255) * 219 + 16 - DARKEST) / STEP;
}

interface ShiftReport {
  readonly shifted: boolean;
  readonly seekRange?: { readonly start: number; readonly end: number };
  readonly playingDate?: number;
}
const shiftOf = async (page: Page) => (await playerReport(page)) as unknown as ShiftReport;

const segmentUrls = async (playlist: string) => {
  const text = await (await fetch(playlist)).text();
  const names = [...text.matchAll(/^(?!#).+$/gm)].map(([name]) => new URL(name, playlist).href);
  return { text, names };
};

describe('time shift', () => {
  let sluice: TestServer;
  let data: string;
  let browser: TestBrowser;
  let encoder: ChildProcess;
  let eventEncoder: ChildProcess;
  let playlist: string;
  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), 'sluice-shift-'));
    await mkdir(join(data, 'hls/stream-0123456789abcdef'), { recursive: true });
    await writeFile(join(data, 'hls/stream-0123456789abcdef/7.seg'), 'left by a crash');
    await writeFile(join(data, 'hls/keep.txt'), 'not ours');
    const config = `
hls: { segmentSeconds: 1, segments: 4, windowSeconds: ${WINDOW_SECONDS} }
publish: { graceSeconds: 0 }
paths: { live/event: { hls: { container: mpegts, windowSeconds: 3600, playlistType: event } } }`;
    sluice = await startServer(config, {}, { dataDirectory: data });
    expect(await readdir(join(data, 'hls'))).toEqual(['keep.txt']);
    browser = await startBrowser();
    encoder = publishAgeing(`${sluice.rtmp}/live/show`);
    eventEncoder = publishAgeing(`${sluice.rtmp}/live/event`);
    playlist = `${sluice.http}/live/show.m3u8`;
    const isLong = async () => (await segmentUrls(playlist)).names.length >= WINDOW_SECONDS;
    await until('the window is full', isLong, (WINDOW_SECONDS + 20) * 1000);
  }, 90_000);
  afterAll(async () => {
    for (const process of [encoder, eventEncoder]) {
      process.kill('SIGTERM');
      await exited(process);
    }
    await browser.close();
    await sluice.stop();
    expect(await readdir(join(data, 'hls'))).toEqual(['keep.txt']);
    await rm(data, { recursive: true, force: true });
  });

  it.skipIf(!IS_LONG)('keeps the rules of HLS over a window on disk, and over an event', async () => {
    const event = `${sluice.http}/live/event.m3u8`;
    expect((await segmentUrls(event)).text).toContain('#EXT-X-PLAYLIST-TYPE:EVENT\n');
    const watch = { seconds: 10, jitterSeconds: 1 };
    const findings = await Promise.all([playlist, event].map((url) => validateLive(url, watch)));
    const faults = findings.flat().filter(({ level }) => level === 'must');
    expect(faults.map(({ rule, detail }) => `${rule}: ${detail}`)).toEqual([]);
  });

  it('gives out segments from disk, whole and in ranges', async () => {
    const { names, text } = await segmentUrls(playlist);
    expect(text.match(/#EXT-X-PROGRAM-DATE-TIME/g)?.length).toBeGreaterThanOrEqual(names.length);
    const oldest = names[3] ?? '';
    const whole = await fetch(oldest);
    const bytes = Buffer.from(await whole.arrayBuffer());
    expect(whole.status).toBe(200);
    expect(Number(whole.headers.get('content-length'))).toBe(bytes.length);
    const range = async (value: string) => fetch(oldest, { headers: { Range: value } });
    const middle = await range('bytes=10-29');
    expect([middle.status, middle.headers.get('content-range')]).toEqual([206, `bytes 10-29/${bytes.length}`]);
    expect(Buffer.from(await middle.arrayBuffer()).equals(bytes.subarray(10, 30))).toBe(true);
    const tail = await range('bytes=-5');
    expect(Buffer.from(await tail.arrayBuffer()).equals(bytes.subarray(-5))).toBe(true);
    expect((await range(`bytes=${bytes.length}-`)).status).toBe(416);
    expect((await range('bytes=0-1,5-6')).status).toBe(200);
    const head = await fetch(oldest, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(bytes.length)]);
    const newest = await fetch(names.at(-1) ?? '', { headers: { Range: 'bytes=0-3' } });
    expect([newest.status, (await newest.arrayBuffer()).byteLength]).toEqual([206, 4]);
    for (const wrong of ['..%2f..%2fsecrets.json', '%2e%2e', '7.seg', '0-00000.m4s']) {
      expect((await fetch(`${sluice.http}/live/show/hls/${wrong}`)).status).toBe(404);
    }
  });

  it('keeps a few segments in memory and all others on disk', async () => {
    const [folder = ''] = (await readdir(join(data, 'hls'))).filter((name) => name.startsWith('stream-'));
    const files = await readdir(join(data, 'hls', folder));
    expect(files.length).toBeGreaterThan(WINDOW_SECONDS - 15);
  });

  it.runIf(IS_LONG)(
    'lets a viewer in Chromium go back 20 s, to the picture of then, and to the live edge again',
    async () => {
      const page = await browser.newPage();
      await page.goto(`${sluice.http}/player/live/show?protocol=hls&muted=1`);
      const plays = async () => {
        const { state, framesDecoded } = await playerReport(page);
        return state === 'playing' && framesDecoded > 50;
      };
      await until('it plays', plays, 30_000);
      await page.locator('.time-bar').waitFor();
      const began = performance.now();
      const [ageBefore, before] = [await ageShown(page), await shiftOf(page)];
      expect(before.shifted).toBe(false);
      for (let press = 0; press < 4; press++) await page.keyboard.press('ArrowLeft');
      const isBack = async () => (await shiftOf(page)).shifted && (await ageShown(page)) < ageBefore - 10;
      await until('the picture is an old one', isBack, 10_000);
      const [ageBack, back] = [await ageShown(page), await shiftOf(page)];
      const elapsed = (performance.now() - began) / 1000;
      expect(Math.abs(ageBefore - ageBack - 20)).toBeLessThan(elapsed + 2);
      const dateStep = ((before.playingDate ?? 0) - (back.playingDate ?? 0)) / 1000;
      expect(Math.abs(ageBefore - ageBack - dateStep)).toBeLessThan(2);
      // It stays there, and the picture moves.
      await until('it plays on', async () => (await ageShown(page)) > ageBack + 6, 20_000);
      const sinceBack = (performance.now() - began) / 1000 - elapsed;
      expect((await ageShown(page)) - ageBack).toBeLessThan(sinceBack + 3);
      expect((await shiftOf(page)).shifted).toBe(true);
      const bar = page.getByRole('slider', { name: 'Time' });
      // The bar sleeps until somebody reaches for it.
      await page.mouse.move(300, 300);
      await bar.hover({ position: { x: 300, y: 8 } });
      expect(await page.locator('.seek-tip').textContent()).toMatch(/^\d{1,2}:\d\d:\d\d.* · −0:\d\d$/);
      const shots = process.env.SCREENSHOTS;
      if (shots !== undefined) await page.screenshot({ path: join(shots, 'shifted.png') });
      await page.getByRole('button', { name: /LIVE/ }).click();
      const isLive = async () => !(await shiftOf(page)).shifted && (await ageShown(page)) > ageBefore;
      await until('it is live again', isLive, 10_000);
      if (shots !== undefined) {
        await page.screenshot({ path: join(shots, 'live.png') });
        await page.setViewportSize({ width: 390, height: 700 });
        await page.mouse.move(200, 200);
        await page.screenshot({ path: join(shots, 'phone.png') });
      }
      for (let press = 0; press < 3; press++) await page.keyboard.press('ArrowLeft');
      await until('it is back again', async () => (await shiftOf(page)).shifted, 10_000);
      const newest = ageBefore + (performance.now() - began) / 1000;
      encoder.kill('SIGTERM');
      await page.getByText('live/show has ended.').waitFor({ timeout: 40_000 });
      // Who was behind has seen it to its end.
      expect(await ageShown(page)).toBeGreaterThan(newest - 4);
      expect((await playerReport(page)).errors).toBe(0);
      await page.close();
    },
    90_000,
  );
});
