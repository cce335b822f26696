import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium } from 'playwright-core';
import type { CorePlan } from '../cores.js';
import { type SluiceAddresses, startSluice } from '../webrtc/servers.js';

const FLAGS = [
  ...['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required'],
  ...['--allow-loopback-in-peer-connection', '--disable-background-timer-throttling'],
  ...['--disable-renderer-backgrounding', '--disable-backgrounding-occluded-windows'],
];

/** Measures with a fresh server, and a browser with a profile of its own. */
export async function inChromium<T>(
  plan: CorePlan,
  measure: (browser: BrowserContext, server: SluiceAddresses) => Promise<T>,
  environment: Readonly<Record<string, string>> = {},
): Promise<T> {
  const server = await startSluice({ plan, environment });
  const profile = await mkdtemp(join(tmpdir(), 'sluice-bench-chromium-'));
  let browser: BrowserContext | undefined;
  try {
    browser = await chromium.launchPersistentContext(profile, {
      executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
      headless: false,
      args: FLAGS,
    });
    return await measure(browser, server);
  } finally {
    await browser?.close();
    await server.stop();
    await rm(profile, { recursive: true, force: true });
  }
}
