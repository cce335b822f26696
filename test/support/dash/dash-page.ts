import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import type { TestBrowser } from '../browser.js';

/** What dash.js and its video element tell. */
export interface DashReport {
  readonly currentTime: number;
  readonly framesDecoded: number;
  readonly width: number;
  /** Seconds behind live, by the server's clock. */
  readonly latency: number;
  readonly period: string;
  /** Of the picture that is being fetched. */
  readonly representation: string;
  readonly errors: readonly string[];
}

const PAGE = `<!doctype html><video muted autoplay></video><script src="/dash.js"></script>`;

/** A page of an origin of its own with dash.js as it comes. */
export class DashPage {
  readonly page: Page;
  readonly #close: () => Promise<void>;

  private constructor(page: Page, close: () => Promise<void>) {
    this.page = page;
    this.#close = close;
  }

  /** @param settings of dash.js */
  static async open(browser: TestBrowser, mpd: string, settings: object = {}): Promise<DashPage> {
    const script = await readFile(createRequire(import.meta.url).resolve('dashjs'));
    const server = createServer((request, response) => {
      const isScript = request.url === '/dash.js';
      response.writeHead(200, { 'Content-Type': isScript ? 'text/javascript' : 'text/html' });
      response.end(isScript ? script : PAGE);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await page.evaluate(`(() => {
      globalThis.faults = [];
      globalThis.periods = [];
      globalThis.player = dashjs.MediaPlayer().create();
      player.updateSettings(${JSON.stringify(settings)});
      player.on('error', ({ error }) => faults.push(error.code + ' ' + error.message));
      player.on('periodSwitchCompleted', ({ toStreamInfo }) => periods.push(toStreamInfo.id));
      player.initialize(document.querySelector('video'), ${JSON.stringify(mpd)}, true);
    })()`);
    return new DashPage(page, async () => {
      await page.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
  }

  report(): Promise<DashReport> {
    return this.page.evaluate<DashReport>(`(() => {
      const video = document.querySelector('video');
      return {
        currentTime: video.currentTime,
        framesDecoded: video.getVideoPlaybackQuality().totalVideoFrames,
        width: video.videoWidth,
        latency: video.readyState < 2 ? Infinity : player.getCurrentLiveLatency(),
        period: periods.at(-1) ?? '',
        representation: player.getCurrentRepresentationForType('video')?.id ?? '',
        errors: faults,
      };
    })()`);
  }

  async close(): Promise<void> {
    await this.page.evaluate('player.destroy()');
    await this.#close();
  }
}
