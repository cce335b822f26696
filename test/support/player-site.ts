import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import type { PlayerReport } from './browser.js';

/** A site of its own origin, with players of a server in its page. */
export interface PlayerSite {
  readonly origin: string;
  close(): Promise<void>;
}

/**
 * Serves one page under a policy as strict as can be: scripts of the server alone, nothing inline.
 *
 * @param body HTML
 * @param server origin of the server whose module the page loads
 */
export async function startPlayerSite(body: string, server: string): Promise<PlayerSite> {
  const policy = [
    "default-src 'none'",
    `script-src ${server}`,
    `connect-src ${server} ${server.replace('http', 'ws')}`,
    ...['media-src blob:', 'worker-src blob:', `img-src ${server}`, `frame-src ${server}`],
  ].join('; ');
  const html = `<!doctype html><html lang="en"><title>site</title>
    <script type="module" src="${server}/assets/sluice-player.js"></script>${body}</html>`;
  const http = createServer((request, response) => {
    const isPage = request.url === '/';
    response.writeHead(isPage ? 200 : 204, { 'Content-Type': 'text/html', 'Content-Security-Policy': policy });
    response.end(isPage ? html : '');
  });
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
  return {
    origin: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    close: () =>
      new Promise((done) => {
        http.close(() => done());
        http.closeAllConnections();
      }),
  };
}

/** What all players of a page tell of themselves, in the order of the page. */
export function siteReports(page: Page): Promise<(PlayerReport | undefined)[]> {
  return page.evaluate(`[...document.querySelectorAll('sluice-player')].map(({ statistics }) => statistics)`);
}

/** Collects what a page complains of. */
export function faultsOf(page: Page): string[] {
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`${message.text()} ${message.location().url}`);
  });
  return faults;
}
