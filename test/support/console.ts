import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import type { TestServer } from './server.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const SHOTS = fileURLToPath(new URL('../../docs/console', import.meta.url));
/** Pictures of the pages for docs/console are taken where this is set. */
export const TAKES_SHOTS = process.env.TEST_SCREENSHOTS !== undefined;

export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };

/** Logs in to the console as the first administrator. */
export async function logIn(page: Page, { api, adminPassword }: TestServer): Promise<void> {
  await page.goto(`${api}/console`);
  await page.getByLabel('User').fill('admin');
  await page.getByLabel('Password').fill(adminPassword ?? '');
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('navigation').waitFor();
}

/** What somebody who cannot see or cannot point would trip over. JavaScript of the page's own is not needed for it. */
export async function seriousFaults(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const found = (await page.evaluate(`axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
    violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => id + ': ' + nodes.map(({ target, failureSummary }) => target + ' ' + failureSummary).join('; ')))`)) as string[];
  return found;
}

/** By how many pixels the page is wider than its window. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
}

/** More of a long page shows no more. */
const MOST_HEIGHT = 1600;

/** Takes a picture of a page for docs/console, where it is asked for: as high as the page is. */
export async function shoot(page: Page, name: string): Promise<void> {
  if (!TAKES_SHOTS) return;
  mkdirSync(SHOTS, { recursive: true });
  const { width, height } = page.viewportSize() ?? DESKTOP;
  const wanted: number = await page.evaluate('document.documentElement.scrollHeight');
  await page.setViewportSize({ width, height: Math.min(MOST_HEIGHT, Math.max(height, wanted)) });
  await page.evaluate(`scrollTo(0, 0);
    document.documentElement.style.scrollbarWidth = 'none';
    for (const toast of document.querySelectorAll('.toast')) toast.remove();`);
  await page.screenshot({ path: join(SHOTS, `${name}.png`), animations: 'disabled' });
  await page.setViewportSize({ width, height });
}
