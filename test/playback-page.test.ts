import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { millis } from '@sluice/media';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser, type TestBrowser } from './support/browser.js';
import { cutSource, indexRecordings, makeSource, recordedFile, writeRecording } from './support/playback-files.js';
import { startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';

const START = Date.UTC(2026, 10, 20, 10, 15, 0);

interface Report {
  readonly time?: number;
  readonly isPlaying: boolean;
  readonly framesDecoded: number;
  readonly spans: readonly { readonly start: number; readonly end: number }[];
  readonly errors: number;
}

const reportOf = (page: Page): Promise<Report> => page.evaluate('globalThis.sluiceRecordings');

describe('the page of recordings', () => {
  let sluice: TestServer;
  let browser: TestBrowser;
  let data: string;
  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), 'sluice-page-'));
    const source = await makeSource(16, '640x360');
    const other = await makeSource(8, '320x180');
    // The last one was recorded an hour later, in another size.
    const parts = [...cutSource(source, [8]), other.samples];
    const live = [0, 8, 3600];
    const rows = parts.map((samples, number) => {
      const file = `live/show/${number}.mp4`;
      const configs = number === 2 ? other.tracks : source.tracks;
      const { bytes, durationMs } = writeRecording(join(data, 'recordings', file), configs, samples);
      const tracks = configs.map(({ kind, codec, codecString }) => ({ kind, codec, codecString }));
      const startedAt = millis(START + (live[number] ?? 0) * 1000);
      return recordedFile({
        id: `p${number}`,
        path: 'live/show',
        file,
        bytes,
        duration: durationMs,
        tracks,
        startedAt,
      });
    });
    await indexRecordings(data, rows);
    sluice = await startServer('', {}, { dataDirectory: data });
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser.close();
    await sluice.stop();
    await rm(data, { recursive: true, force: true });
  });

  async function open(): Promise<{ page: Page; faults: string[] }> {
    const page = await browser.newPage();
    const faults: string[] = [];
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
    await page.goto(`${sluice.http}/player/live/show/recordings`);
    await until('it knows what is recorded', async () => (await reportOf(page)).spans.length === 2);
    return { page, faults };
  }

  /** The bar, with the ten minutes in which recording began. */
  async function beginning(page: Page): Promise<Locator> {
    const bar = page.getByRole('slider', { name: 'Time' });
    await bar.focus();
    await page.keyboard.press('Home');
    await until('it plays', async () => (await reportOf(page)).isPlaying, 30_000);
    await page.getByLabel('How much the bar shows').selectOption('minutes');
    return bar;
  }

  it('plays from where the bar is clicked, over holes, and by keys', async () => {
    const { page, faults } = await open();
    const bar = await beginning(page);
    const { width = 0 } = (await bar.boundingBox()) ?? {};
    await bar.click({ position: { x: (width * (5 * 60 + 13)) / 600, y: 20 } });
    const plays = async () => {
      const { isPlaying, framesDecoded } = await reportOf(page);
      return isPlaying && framesDecoded > 10;
    };
    await until('it plays', plays, 30_000);
    const { time = 0 } = await reportOf(page);
    expect(Math.abs(time - (START + 13_000))).toBeLessThan(4000);
    const isIn = (from: number, to: number) => async () => {
      const now = (await reportOf(page)).time ?? 0;
      return now >= START + from * 1000 && now < START + to * 1000;
    };
    await until('it plays on in the file after the hole', isIn(3600, 3608), 30_000);
    await bar.focus();
    await page.keyboard.press('Home');
    await until('it is at the beginning', isIn(0, 4), 20_000);
    await page.keyboard.press('ArrowRight');
    await until('it is ten seconds further', isIn(9, 16), 20_000);
    expect((await reportOf(page)).errors).toBe(0);
    expect(faults).toEqual([]);
    await page.close();
  });

  it('downloads a part that was marked', async () => {
    const { page, faults } = await open();
    const bar = await beginning(page);
    await bar.focus();
    await page.keyboard.press('i');
    const start = (await reportOf(page)).time ?? 0;
    await until('two seconds have passed', async () => ((await reportOf(page)).time ?? 0) > start + 2000, 20_000);
    await page.keyboard.press('o');
    const link = page.getByRole('link', { name: /Download clip/ });
    await link.waitFor();
    const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
    expect(download.suggestedFilename()).toMatch(/^live-show-20261120T1015\d\dZ\.mp4$/);
    expect(await download.failure()).toBeNull();
    expect(faults).toEqual([]);
    await page.close();
  });

  it('shows a picture where the pointer rests, and fits a phone', async () => {
    const { page, faults } = await open();
    const bar = await beginning(page);
    const { x = 0, y = 0, width = 0 } = (await bar.boundingBox()) ?? {};
    await page.mouse.move(x + (width * (5 * 60 + 5)) / 600, y + 20);
    await page.locator('.tip img').waitFor({ state: 'visible' });
    await page.setViewportSize({ width: 360, height: 740 });
    const overflow = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
    expect(overflow).toBe(0);
    expect(faults).toEqual([]);
    await page.close();
  });
});
