import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { api } from './support/api.js';
import { startBrowser, type TestBrowser } from './support/browser.js';
import { type Clip, makeClip } from './support/clip.js';
import { DESKTOP, logIn, overflow, PHONE, seriousFaults, shoot } from './support/console.js';
import { FeedReader } from './support/feed-reader.js';
import { IS_LONG } from './support/long.js';
import { ClipPublisher } from './support/publisher.js';
import { AS_ADMIN, SECRET_MARK, startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';
import { httpFlvViewer, rtmpViewer } from './support/viewers.js';

interface StreamAnswer {
  readonly path: string;
  readonly viewersByProtocol: Readonly<Record<string, number>>;
  readonly figures: {
    readonly bitrate: number;
    readonly fps: number;
    readonly keyframeInterval: number;
    readonly avDrift: number;
  };
  readonly health: { readonly state: string; readonly reasons: readonly { readonly code: string }[] };
}

const AS_JSON = { 'Content-Type': 'application/json' };

interface Snapshot {
  readonly streams: readonly { readonly path: string }[];
  readonly totals: { readonly streams: number };
  readonly load: object;
}

interface Delta {
  readonly streams?: { readonly set?: readonly { readonly path: string }[]; readonly gone?: readonly string[] };
}

/** On a phone light and elsewhere dark; both everywhere where there is time. */
const schemesFor = (kind: 'desktop' | 'phone'): readonly ('dark' | 'light')[] => {
  const order = kind === 'desktop' ? (['dark', 'light'] as const) : (['light', 'dark'] as const);
  return IS_LONG ? order : order.slice(0, 1);
};

describe('the console', () => {
  let dataDirectory: string;
  let sluice: TestServer;
  let browser: TestBrowser;
  let page: Page;
  let clip: Clip;
  const faults: string[] = [];
  const closers: (() => Promise<unknown>)[] = [];

  const start = (environment: Record<string, string> = {}) =>
    startServer('publish: { graceSeconds: 3 }', environment, { dataDirectory });
  beforeAll(async () => {
    dataDirectory = await mkdtemp(join(tmpdir(), 'sluice-console-'));
    sluice = await start();
    clip = await makeClip('h264', 2);
    browser = await startBrowser();
    page = await browser.newPage();
    await page.setViewportSize(DESKTOP);
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => {
      if (/Content Security Policy/.test(message.text())) faults.push(message.text());
    });
  });
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
    expect(faults).toEqual([]);
  });
  afterAll(async () => {
    await browser.close();
    await sluice.stop();
    await rm(dataDirectory, { recursive: true });
  });

  const publish = async (path: string) => {
    const publisher = await ClipPublisher.start(`${sluice.rtmp}/${path}`, clip, { loop: true });
    closers.push(() => publisher.stop());
    return publisher;
  };
  const streamOf = async (path: string) => (await api<StreamAnswer>(sluice, 'GET', `/api/v2/streams/${path}`)).body;
  const button = (name: string) => page.getByRole('button', { name, exact: true });
  const inDialog = (name: string) => page.getByRole('dialog').getByRole('button', { name, exact: true });
  /** What stands beside a name in the list of figures. */
  const fact = async (name: string) =>
    (await page
      .locator('.facts div', { has: page.getByText(name, { exact: true }) })
      .locator('dd')
      .textContent()) ?? '';

  it('lets nobody in without a login, and nothing load that it does not bring along', async () => {
    const response = await fetch(`${sluice.api}/console/streams/live/show`);
    const policy = response.headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self';");
    expect(policy).toContain(`connect-src 'self' ${sluice.http} ${sluice.ws};`);
    expect(policy).not.toContain('unsafe');
    expect(await response.text()).not.toMatch(/<script>|<style|onload|style=/);
    const led = await fetch(`${sluice.http}/console`, { redirect: 'manual' });
    expect([led.status, led.headers.get('location')]).toEqual([302, `${sluice.api}/console`]);
    expect((await fetch(`${sluice.api}/api/v2/feed`)).status).toBe(401);
    const inUrl = AS_ADMIN.Authorization.replace('Bearer ', '');
    expect((await fetch(`${sluice.api}/api/v2/feed?token=${inUrl}`)).status).toBe(401);

    await page.goto(`${sluice.api}/console`);
    await page.getByLabel('User').fill('admin');
    await page.getByLabel('Password').fill(`wrong ${SECRET_MARK}`);
    await button('Log in').click();
    await page.getByRole('alert').getByText('User or password is wrong.').waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    await shoot(page, 'login-desktop');
    await logIn(page, sluice);
    await page.getByText('Nothing is live').waitFor();
    await shoot(page, 'streams-empty-desktop');
    const kept = await page.evaluate('JSON.stringify([localStorage, sessionStorage, document.cookie])');
    expect(kept).not.toMatch(/eyJ|rt_/);
    await page.reload();
    await page.getByRole('heading', { name: 'Streams' }).waitFor();
  });

  it('shows a stream as it comes, with the figures of the API', async () => {
    await page.goto(`${sluice.api}/console`);
    await publish('live/show');
    const card = page.getByRole('listitem').filter({ has: page.getByRole('link', { name: 'live/show' }) });
    await card.getByText('Healthy').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('nothing like it');
    await page.getByText('No stream fits').waitFor();
    await page.getByLabel('Search').fill('');
    const viewer = await httpFlvViewer(`${sluice.http}/live/show.flv`);
    closers.push(() => viewer.leave());
    await until('the viewer is counted', async () => /HTTP-FLV 1/.test((await card.textContent()) ?? ''));
    await card.getByRole('link').click();
    await page.getByRole('heading', { name: 'live/show', level: 1 }).waitFor();
    const told = (figures: StreamAnswer['figures']) => [
      `${(figures.bitrate / 1000).toLocaleString('en', { maximumFractionDigits: 0 })} kbit/s`,
      figures.fps.toLocaleString('en', { maximumFractionDigits: 2 }),
      `${figures.keyframeInterval?.toFixed(1)} s`,
    ];
    let shown: string[] = [];
    let said: string[] = [];
    // Both change each second, and not at the same moment.
    await until('the figures are equal', async () => {
      const { figures } = await streamOf('live/show');
      shown = [await fact('Bit rate'), await fact('Pictures a second'), await fact('Keyframe interval')];
      said = told(figures);
      return figures.keyframeInterval > 0 && shown.join() === said.join();
    });
    const { figures, viewersByProtocol, health } = await streamOf('live/show');
    expect(viewersByProtocol).toEqual({ 'http-flv': 1 });
    expect(figures.fps).toBeGreaterThan(20);
    expect(figures.keyframeInterval).toBeCloseTo(1);
    expect(health).toEqual({ state: 'good', reasons: [] });
    const { body } = await api<{ bitrate: number[]; at: number[] }>(sluice, 'GET', '/api/v2/stream-history/live/show');
    expect(body.bitrate).toHaveLength(body.at.length);
    expect(body.bitrate).toContainEqual(expect.any(Number));
  }, 90_000);

  it('shows how a stream looks, and plays it where somebody wants to watch', async () => {
    await publish('live/look');
    await page.goto(`${sluice.api}/console/streams/live/look`);
    await page.locator('.still img[src^="blob:"]').waitFor();
    await button('Watch here').click();
    const frames = () =>
      page.evaluate("document.querySelector('sluice-player')?.statistics?.framesDecoded ?? 0") as Promise<number>;
    await until('the picture moves', async () => (await frames()) > 25, 30_000);
    await page.getByRole('cell', { name: 'console:user:admin' }).waitFor();
    await button('Stop watching').click();
    await page.getByText('Nobody watches').waitFor();
  }, 90_000);

  it('ends a session, and keeps out who is denied', async () => {
    await publish('live/kick');
    const first = await httpFlvViewer(`${sluice.http}/live/kick.flv`);
    closers.push(() => first.leave());
    await page.goto(`${sluice.api}/console/streams/live/kick`);
    await page.getByRole('cell', { name: 'HTTP-FLV' }).waitFor();
    await button('End').click();
    await inDialog('End').click();
    await until('the viewer is gone', () => first.ended);
    await page.getByText('Nobody watches').waitFor();

    const second = await rtmpViewer(`${sluice.rtmp}/live/kick`);
    closers.push(() => second.leave());
    await page.getByRole('link', { name: 'Sessions' }).click();
    await page.getByLabel('Activity').selectOption('play');
    const row = page.getByRole('row').filter({ hasText: 'watches' });
    await row.getByRole('button', { name: 'Deny', exact: true }).click();
    await page.getByLabel('Reason').fill('a trial');
    await inDialog('Deny').click();
    await until('they are cut off', () => second.ended);
    await page.getByText('No session fits').waitFor();
    await expect(rtmpViewer(`${sluice.rtmp}/live/kick`)).rejects.toThrow();
    const { body } = await api<{ bans: { id: string; reason: string }[] }>(sluice, 'GET', '/api/v2/bans');
    expect(body.bans).toMatchObject([{ kind: 'session', reason: 'a trial', createdBy: 'user:admin' }]);
    await api(sluice, 'DELETE', `/api/v2/bans/${body.bans[0]?.id}`);
  }, 90_000);

  it('records a stream and stops that', async () => {
    await publish('live/record');
    await page.goto(`${sluice.api}/console/streams/live/record`);
    await button('Record').click();
    await page.getByText('Recording since').waitFor();
    await button('Stop recording').click();
    await button('Record').waitFor();
    await page.getByText(/\.mp4 is recorded/).waitFor();
  });

  it('says why a stream is not well, and that it is gone', async () => {
    const publisher = await publish('live/gone');
    await page.goto(`${sluice.api}/console/streams/live/gone`);
    await page.getByText('Nothing is wrong with it.').waitFor();
    publisher.kill();
    await page.getByText('The encoder is gone; viewers wait for it to come back').waitFor();
    expect((await streamOf('live/gone')).health).toMatchObject({ state: 'bad', reasons: [{ code: 'encoder-gone' }] });
    await page.getByText('This stream is not live').waitFor();
  });

  it('shows what a role may do, in the language and the colours that somebody likes', async () => {
    const password = `a password ${SECRET_MARK}`;
    await api(sluice, 'POST', '/api/v2/users', { name: 'bert', password, role: 'viewer' });
    await publish('live/role');
    await page.goto(`${sluice.api}/console`);
    await button('Log out').click();
    await page.getByLabel('Language').selectOption('de');
    await page.getByLabel('Name').fill('bert');
    await page.getByLabel('Passwort').fill(password);
    await button('Anmelden').click();
    await page.getByRole('link', { name: 'live/role' }).click();
    expect(await button('Aufnehmen').isDisabled()).toBe(true);
    expect(await button('Trennen').isDisabled()).toBe(true);
    const ground = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
    await page.getByLabel('Farben').selectOption('light');
    const light = await ground();
    await page.getByLabel('Farben').selectOption('dark');
    expect(await ground()).not.toBe(light);
    await page.getByLabel('Farben').selectOption('system');
    await page.getByLabel('Sprache').selectOption('en');
    await button('Log out').click();
    await logIn(page, sluice);
  });

  it('has nothing that keeps people out, and fits a phone', async () => {
    await publish('live/fits');
    await publish('live/a-stream-with-quite-a-long-name-for-a-phone');
    const viewer = await httpFlvViewer(`${sluice.http}/live/fits.flv`);
    closers.push(() => viewer.leave());
    for (const [name, path, sign] of [
      ['sessions', '/sessions', '3 sessions'],
      ['stream', '/streams/live/fits', 'Nothing is wrong with it.'],
      ['streams', '', 'HTTP-FLV 1'],
    ] as const) {
      for (const [kind, size] of [
        ['desktop', DESKTOP],
        ['phone', PHONE],
      ] as const) {
        for (const scheme of schemesFor(kind)) {
          await page.setViewportSize(size);
          await page.emulateMedia({ colorScheme: scheme });
          if (scheme === schemesFor(kind)[0]) await page.goto(`${sluice.api}/console${path}`);
          await page.getByText(sign).first().waitFor();
          if (name === 'streams') await page.locator('.poster img[src]').nth(1).waitFor();
          expect(await seriousFaults(page), `${name} ${kind} ${scheme}`).toEqual([]);
          expect(await overflow(page), `${name} ${kind}`).toBe(0);
          if (scheme === schemesFor(kind)[0]) await shoot(page, `${name}-${kind}`);
        }
      }
    }
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize(DESKTOP);
  }, 180_000);

  it('is told by a feed that says what has changed, to all the same, and ends with the server', async () => {
    const publisher = await publish('live/told');
    const [one, two] = [new FeedReader(sluice, '/feed'), new FeedReader(sluice, '/feed')];
    const sessions = new FeedReader(sluice, '/feed/sessions?path=live/told&action=publish');
    closers.push(
      () => one.close(),
      () => two.close(),
      () => sessions.close(),
    );
    const deltas = (reader: FeedReader) => reader.events.filter(({ name }) => name === 'delta');
    await until('there are deltas', () => [one, two, sessions].every((reader) => deltas(reader).length > 2));
    const [first] = one.events;
    expect(first?.name).toBe('snapshot');
    const { streams, totals, load } = (first ?? { data: undefined }).data as Snapshot;
    expect([totals.streams, load]).toEqual([streams.length, expect.objectContaining({ cpu: expect.any(Number) })]);
    const last = JSON.stringify(deltas(two).at(-2)?.data);
    await until('both are told', () => deltas(one).some(({ data }) => JSON.stringify(data) === last));
    const [changed] = deltas(one)
      .flatMap(({ data }) => (data as Delta).streams?.set ?? [])
      .filter(({ path }) => path === 'live/told')
      .slice(-1);
    // Tracks and the like are not said again.
    expect(Object.keys(changed ?? {}).sort()).toEqual(['figures', 'path', 'received']);
    const told = () => JSON.stringify(sessions.events.map(({ data }) => data));
    await until('the session is told', () => told().includes('"ip":"127.0.0.1"') && told().includes('"total":1'));
    await publisher.stop();
    await until('the session is gone', () =>
      deltas(sessions).some(({ data }) => (data as { total?: number }).total === 0),
    );
    await until('the stream is gone', () =>
      deltas(one).some(({ data }) => (data as Delta).streams?.gone?.includes('live/told')),
    );
    const happened = one.events.flatMap(({ data }) => (data as { events?: { type: string }[] }).events ?? []);
    expect(happened.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['stream-started', 'session-opened', 'session-closed', 'stream-waiting', 'stream-ended']),
    );
    expect(JSON.stringify(one.events)).not.toContain(SECRET_MARK);
  });

  it.runIf(IS_LONG)('tells nothing more to who may not know it any more', async () => {
    const password = `a password ${SECRET_MARK}`;
    const { body } = await api<{ id: string }>(sluice, 'POST', '/api/v2/users', {
      name: 'eva',
      password,
      role: 'viewer',
    });
    const login = { method: 'POST', body: JSON.stringify({ user: 'eva', password }), headers: AS_JSON };
    const { accessToken } = (await (await fetch(`${sluice.api}/api/v2/auth/login`, login)).json()) as {
      accessToken: string;
    };
    const reader = new FeedReader(sluice, '/feed', { Authorization: `Bearer ${accessToken}` });
    closers.push(() => reader.close());
    await until('she is told', () => reader.events.length > 1);
    await api(sluice, 'DELETE', `/api/v2/users/${body.id}`);
    await until('she is told no more', () => reader.ended, 20_000);
    expect(reader.events.at(-1)?.name).toBe('renew');
  });

  it('says that the server does not answer, and goes on by itself when it does again', async () => {
    await page.goto(`${sluice.api}/console`);
    await page.getByText('Nothing is live').waitFor();
    const reader = new FeedReader(sluice, '/feed');
    closers.push(() => reader.close());
    await until('it listens', () => reader.events.length > 0);
    await sluice.stop();
    expect(reader.events.at(-1)?.name).toBe('renew');
    await page.getByRole('alert').getByText('The connection to the server is lost.').waitFor();
    sluice = await start({ SLUICE_API_PORT: new URL(sluice.api).port });
    await page.getByText('The connection to the server is lost.').waitFor({ state: 'hidden' });
    await publish('live/after');
    await page.getByRole('link', { name: 'live/after' }).waitFor();
  }, 90_000);
});
