import { createHmac } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type PlayerReport,
  pictureVariance,
  playerReport,
  soundEnergy,
  startBrowser,
  type TestBrowser,
  VIDEO,
} from './support/browser.js';
import { type Clip, makeClip } from './support/clip.js';
import { freePort } from './support/free-port.js';
import { IS_LONG } from './support/long.js';
import { faultsOf, siteReports, startPlayerSite } from './support/player-site.js';
import { ClipPublisher } from './support/publisher.js';
import { SECRET_MARK, startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';

const JWT_SECRET = `signs-the-tokens-of-the-tests-${SECRET_MARK}`;
const CONFIG = `
hls: { segmentSeconds: 1 }
publish: { graceSeconds: 3 }
player: { embedOrigins: ['http://127.0.0.1:*', 'https://*.example.org'] }
auth: { jwt: { secret: ${JWT_SECRET} } }
paths:
  "closed/*": { access: { play: credential } }
  "past/*": { hls: { windowSeconds: 60 } }`;

const OFFLINE = { offline: true, latency: 0, downloadThroughput: 0, uploadThroughput: 0 };
const ONLINE = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 };

describe('the player', () => {
  let sluice: TestServer;
  let browser: TestBrowser;
  let data: string;
  let clip: Clip;
  let ports: Record<string, string>;
  const publishers = new Map<string, ClipPublisher>();

  const start = () => startServer(CONFIG, ports, { dataDirectory: data });
  const publish = async (path: string) => {
    publishers.set(path, await ClipPublisher.start(`${sluice.rtmp}/${path}`, clip, { loop: true }));
  };
  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), 'sluice-player-'));
    ports = { SLUICE_HTTP_PORT: String(await freePort()), SLUICE_WEBRTC_PORT: String(await freePort()) };
    clip = await makeClip('h264', 4);
    sluice = await start();
    browser = await startBrowser();
    await publish('live/show');
  });
  afterAll(async () => {
    await browser.close();
    for (const publisher of publishers.values()) await publisher.stop();
    await sluice.stop();
    await rm(data, { recursive: true, force: true });
  });

  const plays = async (page: Page, frames = 25) => {
    const { state, framesDecoded } = await playerReport(page);
    return state === 'playing' && framesDecoded > frames;
  };
  const open = async (query: string, path = 'live/show') => {
    const page = await browser.newPage();
    const faults = faultsOf(page);
    await page.goto(`${sluice.http}/player/${path}${query}`);
    return { page, faults };
  };

  it.each([
    ['', 'webrtc'],
    ['?protocol=webrtc', 'webrtc'],
    ['?protocol=ll-hls', 'll-hls'],
    ['?protocol=hls', 'hls'],
    ['?protocol=flv', 'flv'],
    ['?protocol=ws-flv', 'ws-flv'],
  ])('plays %s as %s', async (query, protocol) => {
    const { page, faults } = await open(query);
    await until('it plays', () => plays(page), 30_000);
    expect(await playerReport(page)).toMatchObject({ protocol, videoWidth: 320, errors: 0 });
    // Chromium gives Web Audio none of the sound that comes by WebRTC.
    if (protocol !== 'webrtc') expect(await soundEnergy(page)).toBeGreaterThan(1e-6);
    expect(await pictureVariance(page)).toBeGreaterThan(100);
    expect(faults).toEqual([]);
    await page.close();
  });

  it('goes on to what works, and remembers what did not for as long as the tab is open', async () => {
    const page = await browser.newPage();
    const asked: string[] = [];
    for (const pattern of ['**/whep/**', '**/*.m3u8*']) {
      await page.route(pattern, (route) => {
        asked.push(new URL(route.request().url()).pathname);
        return route.abort();
      });
    }
    const url = `${sluice.http}/player/live/show`;
    await page.goto(url);
    await until('it plays', () => plays(page), 30_000);
    expect((await playerReport(page)).protocol).toBe('flv');
    expect(asked).toContain('/whep/live/show');
    expect(asked).toContain('/live/show.m3u8');
    asked.length = 0;
    await page.reload();
    await until('it plays again', () => plays(page), 30_000);
    expect([(await playerReport(page)).protocol, asked]).toEqual(['flv', []]);
    await page.close();
  });

  it('plays on another site, and comes back by itself from whatever happens', async () => {
    const protocols = ['auto', 'll-hls', 'flv', 'ws-flv'];
    const src = `${sluice.http}/live/show`;
    const players = protocols.map(
      (protocol) => `<sluice-player src="${src}" protocol="${protocol}" autoplay muted controls></sluice-player>`,
    );
    const site = await startPlayerSite(players.join(''), sluice.http);
    const page = await browser.newPage();
    const faults = faultsOf(page);
    await page.goto(site.origin);
    await page.evaluate('globalThis.unreloaded = true');
    const frames = async () => (await siteReports(page)).map((report) => report?.framesDecoded ?? 0);
    const states = async () => (await siteReports(page)).map((report) => report?.state);
    const isEach = (state: string) => async () => (await states()).every((each) => each === state);
    const allGoOn = async (after: string) => {
      let before = await frames();
      await until(
        `all play after ${after}`,
        async () => {
          const [now, all] = [await frames(), await isEach('playing')()];
          if (!all) before = now;
          return now.every((count, index) => count > (before[index] ?? 0) + 10);
        },
        40_000,
      );
    };
    await allGoOn('opening');
    const protocolsOf = async () => (await siteReports(page)).map((report) => report?.protocol);
    expect(await protocolsOf()).toEqual(['webrtc', 'll-hls', 'flv', 'ws-flv']);
    expect(faults).toEqual([]);

    publishers.get('live/show')?.kill();
    await until('each waits for the encoder', isEach('waiting'), 20_000);
    await publish('live/show');
    await allGoOn('the encoder was away');
    if (IS_LONG) {
      publishers.get('live/show')?.kill();
      await until('each says that it has ended', isEach('offline'), 30_000);
      await publish('live/show');
      await allGoOn('the stream had ended');
    }

    const control = await page.context().newCDPSession(page);
    await control.send('Network.enable');
    await control.send('Network.emulateNetworkConditions', OFFLINE);
    // WebRTC is none of the network that is cut here; an open WebSocket isn't either.
    await until('HLS has nothing to play', async () => (await states())[1] === 'unreachable', 60_000);
    await page.getByText('This device is offline.').first().waitFor();
    await control.send('Network.emulateNetworkConditions', ONLINE);
    await allGoOn('the network was cut');

    await publishers.get('live/show')?.stop();
    await sluice.stop();
    await until('each tells that the server is away', isEach('unreachable'), 60_000);
    sluice = await start();
    await until('each knows of the server', isEach('offline'), 30_000);
    await publish('live/show');
    await allGoOn('the server was away');
    expect(await protocolsOf()).toEqual(['webrtc', 'll-hls', 'flv', 'ws-flv']);
    expect(await page.evaluate('globalThis.unreloaded')).toBe(true);
    await page.close();
    await site.close();
  }, 240_000);

  it('says what is wrong, and goes on when it is right', async () => {
    const { page } = await open('?lang=de', 'live/later');
    await page.getByText('live/later ist noch nicht live. Es beginnt von selbst.').waitFor();
    await publish('live/later');
    await until('it plays', () => plays(page), 30_000);
    await page.goto(`${sluice.http}/player/closed/show`);
    await page.getByText('You need a valid link to watch this.').waitFor();
    publishers.set('live/hevc', await ClipPublisher.start(`${sluice.rtmp}/live/hevc`, await makeClip('hevc', 2)));
    await page.goto(`${sluice.http}/player/live/hevc`);
    await page.getByText(/This browser can't play HEVC \(hvc1/).waitFor();
    await page.route('**/whep/**', (route) => route.abort());
    await page.goto(`${sluice.http}/player/live/show?protocol=webrtc`);
    await page.getByText('No picture comes over WebRTC.').waitFor();
    await page.getByRole('button', { name: 'Settings' }).click();
    await page.getByLabel('Protocol').selectOption('auto');
    await until('it plays', () => plays(page), 30_000);
    expect(new URL(page.url()).search).toBe('?protocol=auto');
    await page.goto(`${sluice.http}/player/live/.x`);
    await page.getByText('This is no name of a stream.').waitFor();
    await page.close();
  }, 120_000);

  it('keeps a token from the page and from what the browser stores', async () => {
    const token = playToken('closed/*');
    await publish('closed/show');
    const src = `${sluice.http}/closed/show`;
    const site = await startPlayerSite(
      `<sluice-player id="one" src="${src}" autoplay muted></sluice-player>
       <sluice-player id="two" src="${src}?token=${token}" autoplay muted protocol="ll-hls"></sluice-player>`,
      sluice.http,
    );
    const page = await browser.newPage();
    await page.goto(site.origin);
    await page.getByText('You need a valid link to watch this.').waitFor();
    const playing = async (index: number) => ((await siteReports(page))[index]?.framesDecoded ?? 0) > 25;
    await until('the one with a token plays', () => playing(1), 30_000);
    await page.evaluate(`document.getElementById('one').token = ${JSON.stringify(token)}`);
    await until('the other plays too', () => playing(0), 30_000);
    const kept = await page.evaluate<string>(`(() => {
      const roots = [document, ...[...document.querySelectorAll('sluice-player')].map((player) => player.shadowRoot)];
      const markup = roots.map((root) => (root.documentElement ?? root).innerHTML).join();
      const read = [...document.querySelectorAll('sluice-player')].map(({ src, token }) => src + token).join();
      return markup + read + JSON.stringify(localStorage) + JSON.stringify(sessionStorage);
    })()`);
    expect(kept).toContain('sluice-player');
    expect(kept).not.toContain(token);
    await page.goto(`${sluice.http}/player/closed/show?token=${token}&muted=1`);
    await until('its page plays', () => plays(page), 30_000);
    const ofPage = await page.evaluate<string>(
      `document.documentElement.outerHTML + document.querySelector('sluice-player').shadowRoot.innerHTML`,
    );
    expect(ofPage).not.toContain(token);
    await page.getByRole('link', { name: 'Recordings' }).click();
    await page.waitForURL((url) => url.search.includes(token));
    await page.close();
    await site.close();
  }, 90_000);

  it('is shown in frames of those sites alone that may, and its pages run no scripts of others', async () => {
    const policy = async (path: string) =>
      (await fetch(`${sluice.http}${path}`)).headers.get('content-security-policy') ?? '';
    const player = await policy('/player/live/show');
    expect(player).toMatch(/; frame-ancestors 'self' http:\/\/127\.0\.0\.1:\* https:\/\/\*\.example\.org$/);
    expect(player).toContain("default-src 'none'; script-src 'self'; style-src 'self'; ");
    for (const path of ['/', '/publish/live/show', '/player/live/show/recordings']) {
      expect(await policy(path)).toMatch(/; frame-ancestors 'self'$/);
    }
    const module = await fetch(`${sluice.http}/assets/sluice-player.js`);
    expect(module.headers.get('cache-control')).toBe('no-cache');
    expect(module.headers.get('access-control-allow-origin')).toBe('*');
    const frame = (path: string) => `<iframe src="${sluice.http}${path}" allow="autoplay; fullscreen"></iframe>`;
    const site = await startPlayerSite(`${frame('/player/live/show?muted=1')}${frame('/')}`, sluice.http);
    const page = await browser.newPage();
    const refused = page.waitForEvent('console', (message) => /frame-ancestors/.test(message.text()));
    await page.goto(site.origin);
    await refused;
    const inside = () => page.frames().find((each) => each.url().includes('/player/live/show'));
    const framed = async () =>
      Number(
        await inside()
          ?.evaluate('globalThis.sluicePlayer?.framesDecoded ?? 0')
          .catch(() => 0),
      );
    await until('it plays in the frame', async () => (await framed()) > 25, 30_000);
    await page.close();
    await site.close();
  });

  it.runIf(IS_LONG)(
    'goes back in time from WebRTC, by HLS, and to WebRTC again',
    async () => {
      await publish('past/show');
      const { page, faults } = await open('?muted=1', 'past/show');
      const report = () => playerReport(page) as Promise<PlayerReport & { shifted: boolean; playingDate?: number }>;
      await page.locator('.time-bar').waitFor({ timeout: 60_000 });
      expect((await report()).protocol).toBe('webrtc');
      await until('it plays', () => plays(page));
      const began = Date.now();
      for (let press = 0; press < 3; press++) await page.keyboard.press('ArrowLeft');
      const isBack = async () => {
        const { shifted, protocol, state, playingDate = began } = await report();
        return shifted && protocol === 'll-hls' && state === 'playing' && playingDate < Date.now() - 3000;
      };
      await until('it plays the past', isBack, 20_000);
      await page.keyboard.press('l');
      const isLive = async () => {
        const { shifted, protocol, state } = await report();
        return !shifted && protocol === 'webrtc' && state === 'playing';
      };
      await until('it plays the present', isLive, 20_000);
      expect(faults).toEqual([]);
      await page.close();
    },
    120_000,
  );

  it('is worked by its settings and by keys', async () => {
    const { page, faults } = await open('?protocol=ll-hls&muted=1');
    await until('it plays', () => plays(page), 30_000);
    await page.keyboard.press('i');
    await page.getByText('Dropped frames').waitFor();
    await page.getByRole('button', { name: 'Settings' }).click();
    const panel = page.getByRole('dialog', { name: 'Settings' });
    expect(await panel.getByLabel('Statistics').isChecked()).toBe(true);
    await panel.getByLabel('Protocol').selectOption('flv');
    await until('it plays by the other', async () => (await playerReport(page)).protocol === 'flv' && plays(page));
    await page.keyboard.press('Escape');
    await panel.waitFor({ state: 'hidden' });
    expect(await page.getByRole('button', { name: 'Settings' }).getAttribute('aria-expanded')).toBe('false');
    await page.keyboard.press('m');
    await page.keyboard.press('k');
    expect(await page.evaluate(`(({ muted, paused }) => [muted, paused])(${VIDEO})`)).toEqual([false, true]);
    await page.keyboard.press('f');
    await until(
      'it fills the screen',
      async () => (await page.evaluate('document.fullscreenElement !== null')) === true,
    );
    expect(faults).toEqual([]);
    await page.close();
  });
});

/** A token that lets watch, as the operator's own server would issue it: RFC 7519. */
function playToken(paths: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { sub: 'anna', actions: ['play'], paths: [paths], exp: Math.floor(Date.now() / 1000) + 600 };
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${signed}.${createHmac('sha256', JWT_SECRET).update(signed).digest('base64url')}`;
}
