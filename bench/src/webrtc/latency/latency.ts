import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import type { CorePlan } from '../../cores.js';
import { Histogram } from '../../histogram.js';
import { STREAM } from '../../targets/target.js';
import { type SluiceAddresses, startSluice } from '../servers.js';
import type { PageReport } from './page.js';
import { publishStamped, type StampedPublisher } from './stamped-publisher.js';

/** How the pictures come to the server. */
export const LATENCY_SOURCES = ['whip', 'rtmp'] as const;
export type LatencySource = (typeof LATENCY_SOURCES)[number];

export interface LatencyRow {
  readonly picturesPerSecond: number;
  /** Ms from when a picture was drawn until it is to be on the screen. */
  readonly late: Histogram;
  readonly unread: number;
  readonly jitterBufferMs: number;
}

const FOLDER = fileURLToPath(new URL('.', import.meta.url));
const PAGE = '/bench-latency/';
const START_MS = 3000;
/** Chromium's jitter buffer, and its estimate of the bandwidth. */
const SETTLE_MS = 5000;
const FLAGS = [
  ...['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required'],
  ...['--allow-loopback-in-peer-connection', '--disable-background-timer-throttling'],
  ...['--disable-renderer-backgrounding', '--disable-backgrounding-occluded-windows'],
];

/** How late the pictures of a fresh server are that Chromium plays by WHEP. All clocks are this machine's. */
export async function measureLatency(
  source: LatencySource,
  { plan, seconds }: { readonly plan: CorePlan; readonly seconds: number },
): Promise<LatencyRow> {
  const server = await startSluice({ plan });
  const profile = await mkdtemp(join(tmpdir(), 'sluice-bench-chromium-'));
  let browser: BrowserContext | undefined;
  let encoder: StampedPublisher | undefined;
  try {
    browser = await chromium.launchPersistentContext(profile, {
      executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
      headless: false,
      args: FLAGS,
    });
    if (source === 'rtmp') encoder = publishStamped(`${server.rtmp}/${STREAM}`);
    else await call(await openPage(browser, server), `publish('/whip/${STREAM}')`);
    await sleep(START_MS);
    const player = await openPage(browser, server);
    const report = await call<PageReport>(player, `watch('/whep/${STREAM}', ${SETTLE_MS}, ${seconds})`);
    const late = new Histogram();
    for (const age of report.ages) late.record(age);
    return { ...report, late, picturesPerSecond: report.ages.length / seconds };
  } finally {
    await browser?.close();
    await encoder?.close();
    await server.stop();
    await rm(profile, { recursive: true, force: true });
  }
}

/** A page of the server's origin, of which the files are the bench's. */
async function openPage(browser: BrowserContext, { http }: SluiceAddresses): Promise<Page> {
  const page = await browser.newPage();
  await page.route(`${http}${PAGE}**`, (route) => {
    const name = new URL(route.request().url()).pathname.slice(PAGE.length);
    if (name === '') return route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>bench</title>' });
    return route.fulfill({ path: join(FOLDER, name), contentType: 'text/javascript' });
  });
  await page.goto(`${http}${PAGE}`);
  return page;
}

/** Calls a function of page.ts. */
function call<T = void>(page: Page, expression: string): Promise<T> {
  return page.evaluate<T>(`import('${PAGE}page.js').then((page) => page.${expression})`);
}
