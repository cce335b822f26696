import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { BrowserContext, Page } from 'playwright-core';
import type { CorePlan } from '../cores.js';
import { Histogram } from '../histogram.js';
import { STREAM } from '../targets/target.js';
import type { SluiceAddresses } from '../webrtc/servers.js';
import { inChromium } from './in-chromium.js';
import type { PictureReport, PlayerReport, WhepReport } from './page.js';
import { publishStamped } from './stamped-publisher.js';

/** How the pictures come to the server. */
export const LATENCY_SOURCES = ['whip', 'rtmp'] as const;
export type LatencySource = (typeof LATENCY_SOURCES)[number];

interface PictureRow {
  readonly picturesPerSecond: number;
  /** Ms from when a picture was drawn until it is to be on the screen. */
  readonly late: Histogram;
  readonly unread: number;
}

export type LatencyRow = PictureRow & Pick<WhepReport, 'jitterBufferMs'>;
export type HlsLatencyRow = PictureRow & Omit<PlayerReport, 'ages' | 'unread'>;

interface LatencyOptions {
  readonly plan: CorePlan;
  readonly seconds: number;
}

const FOLDER = fileURLToPath(new URL('.', import.meta.url));
const PAGE = '/bench-latency/';
const START_MS = 3000;
/** The player catches up with the live edge at a little more than its normal rate. */
const HLS_SETTLE_MS = 20_000;
const HLS_GOP_SECONDS = 2;
/** Chromium's jitter buffer, and its estimate of the bandwidth. */
const SETTLE_MS = 5000;
/** How late the pictures of a fresh server are that Chromium plays by WHEP. All clocks are this machine's. */
export function measureLatency(source: LatencySource, { plan, seconds }: LatencyOptions): Promise<LatencyRow> {
  return inChromium(plan, async (browser, server) => {
    const encoder = source === 'rtmp' ? publishStamped(`${server.rtmp}/${STREAM}`) : undefined;
    try {
      if (encoder === undefined) await call(await openPage(browser, server), `publish('/whip/${STREAM}')`);
      await sleep(START_MS);
      const player = await openPage(browser, server);
      const report = await call<WhepReport>(player, `watch('/whep/${STREAM}', ${SETTLE_MS}, ${seconds})`);
      return { ...rowOf(report, seconds), jitterBufferMs: report.jitterBufferMs };
    } finally {
      await encoder?.close();
    }
  });
}

/** The same for what the server's player page plays by HLS, of what comes over RTMP. */
export function measureHlsLatency({ plan, seconds }: LatencyOptions): Promise<HlsLatencyRow> {
  const watch = async (browser: BrowserContext, server: SluiceAddresses): Promise<HlsLatencyRow> => {
    const encoder = publishStamped(`${server.rtmp}/${STREAM}`, HLS_GOP_SECONDS);
    try {
      await sleep(START_MS);
      const player = await openPage(browser, server, `/player/${STREAM}?protocol=ll-hls&muted=1`);
      const report = await call<PlayerReport>(player, `watchPlayer(${HLS_SETTLE_MS}, ${seconds})`);
      if (report.ages.length === 0) throw new Error('the player showed no picture');
      const { ages: _, ...figures } = report;
      return { ...figures, ...rowOf(report, seconds) };
    } finally {
      await encoder.close();
    }
  };
  return inChromium(plan, watch, { SLUICE_WEBRTC_ENABLED: 'false' });
}

function rowOf({ ages, unread }: PictureReport, seconds: number): PictureRow {
  const late = new Histogram();
  for (const age of ages) late.record(age);
  return { late, unread, picturesPerSecond: ages.length / seconds };
}

/** A page of the server's origin, of which the files are the bench's. */
async function openPage(browser: BrowserContext, { http }: SluiceAddresses, path = PAGE): Promise<Page> {
  const page = await browser.newPage();
  await page.route(`${http}${PAGE}**`, (route) => {
    const name = new URL(route.request().url()).pathname.slice(PAGE.length);
    if (name === '') return route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>bench</title>' });
    return route.fulfill({ path: join(FOLDER, name), contentType: 'text/javascript' });
  });
  await page.goto(`${http}${path}`);
  return page;
}

/** Calls a function of page.ts. */
function call<T = void>(page: Page, expression: string): Promise<T> {
  return page.evaluate<T>(`import('${PAGE}page.js').then((page) => page.${expression})`);
}
