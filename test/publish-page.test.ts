import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { api } from './support/api.js';
import { pictureVariance, startBrowser, type TestBrowser } from './support/browser.js';
import { SECRET_MARK, startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';
import { httpFlvViewer } from './support/viewers.js';

/** What the publish page tells of itself. */
interface PublishReport {
  readonly state: 'idle' | 'connecting' | 'live' | 'retrying';
  readonly fault?: { readonly headline: string };
  readonly figures?: { readonly bitrate?: number; readonly width?: number; readonly packetsSent: number };
  /** dB below full scale. */
  readonly level: number;
}

interface Made {
  readonly key: string;
}

describe('the publish page', () => {
  let sluice: TestServer;
  let browser: TestBrowser;
  let page: Page;
  beforeAll(async () => {
    sluice = await startServer(`
      publish: { graceSeconds: 1 }
      paths: { "vip/*": { access: { publish: credential } }, "off/*": { access: { publish: closed } } }`);
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser.close();
    await sluice.stop();
  });
  const faults: string[] = [];
  beforeEach(async () => {
    faults.length = 0;
    page = await browser.newPage();
    page.on('pageerror', (error) => faults.push(error.message));
  });
  afterEach(async () => {
    // What is remembered is for this test.
    await page.evaluate('localStorage.clear()');
    // It asks before it leaves what is live.
    await page.close({ runBeforeUnload: false });
    expect(faults).toEqual([]);
  });

  const report = (): Promise<PublishReport> => page.evaluate('sluicePublish');
  const open = async (path: string): Promise<void> => {
    await page.goto(`${sluice.http}/publish/${path}`);
    await until('there is a picture', async () => (await pictureVariance(page)) > 100);
  };
  const button = (name: string | RegExp) => page.getByRole('button', { name });
  const isLogged = (message: string, path: string) =>
    sluice.log.some((line) => line.msg === message && line.path === path);
  const live = (path: string) =>
    until(`${path} is live`, async () => (await report()).state === 'live' && isLogged('stream is live', path));

  it('shows picture and level, goes live, tells how it goes, and stops', async () => {
    await open('live/show');
    expect(await page.getByRole('combobox', { name: 'Camera' }).textContent()).toContain('fake_device');
    const levels = new Set<number>();
    // The fake microphone beeps.
    await until('the meter moves', async () => {
      levels.add(Math.round((await report()).level));
      return Math.max(...levels) > -40 && Math.max(...levels) - Math.min(...levels) > 10;
    });
    await button('Go live').click();
    await live('live/show');
    const viewer = await httpFlvViewer(`${sluice.http}/live/show.flv`);
    const samples = (kind: string) => viewer.samples.filter((sample) => sample.kind === kind).length;
    await until('both come', () => samples('video') > 30 && samples('audio') > 50, 20_000);
    await until('there are figures', async () => ((await report()).figures?.bitrate ?? 0) > 50_000);
    expect((await report()).figures).toMatchObject({ packetsLost: 0, roundTripMs: expect.any(Number) });
    expect(await page.getByRole('timer', { name: 'Live for' }).textContent()).toMatch(/^\d+:\d\d$/);
    const link = page.getByRole('link', { name: 'Open the player' });
    expect(await link.getAttribute('href')).toBe(`${sluice.http}/player/live/show`);
    await viewer.leave();
    await button('Stop').click();
    await until('it is over', () => isLogged('stream waits for its encoder to come back', 'live/show'));
    expect(await report()).toMatchObject({ state: 'idle' });
    expect(await button('Go live').isVisible()).toBe(true);
  });

  it('changes device, size and music while it is live, and keeps what is off off', async () => {
    await open('live/change');
    expect((await report()).figures).toBeUndefined();
    await page.getByRole('combobox', { name: 'Size' }).selectOption('360');
    await button('Go live').click();
    await live('live/change');
    const sent = async () => (await report()).figures;
    await until('it is small', async () => (await sent())?.width === 640, 20_000);
    const sessions = () => sluice.log.filter(({ msg, path }) => msg === 'publishing began' && path === 'live/change');
    await page.keyboard.press('m');
    await button(/^Microphone on/).waitFor();
    const microphones = page.getByRole('combobox', { name: 'Microphone' });
    const other = await microphones.locator('option').nth(1).getAttribute('value');
    await page.evaluate(`{
      const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = async (wanted) => {
        const stream = await ask(wanted);
        window.opened = stream.getAudioTracks()[0].getSettings();
        return stream;
      };
    }`);
    // The second is chosen while the first opens, and none is forgotten.
    await microphones.selectOption(other);
    await page.getByRole('switch', { name: /Music/ }).check();
    await page.getByRole('combobox', { name: 'Size' }).selectOption('540');
    await until('it has grown', async () => (await sent())?.width === 960);
    expect(other).not.toBe('none');
    expect(await page.evaluate('opened')).toMatchObject({ deviceId: other, echoCancellation: false });
    expect(await button(/^Microphone on/).isVisible()).toBe(true);
    expect(sessions()).toHaveLength(1);
    await microphones.selectOption('none');
    await until('a session without sound begins', () => sessions().length === 2);
    await live('live/change');
    await page.reload();
    await until('what was chosen is remembered', async () => {
      const size = await page.getByRole('combobox', { name: 'Size' }).inputValue();
      return size === '540' && (await page.getByRole('switch', { name: /Music/ }).isChecked());
    });
    await until('leaving ended it', () => isLogged('stream waits for its encoder to come back', 'live/change'));
  }, 120_000);

  it('goes live again by itself when its session is cut', async () => {
    await open('live/cut');
    await button('Go live').click();
    await live('live/cut');
    type Listed = { readonly sessions: readonly { readonly id: string; readonly path: string }[] };
    const { body } = await api<Listed>(sluice, 'GET', '/api/v2/sessions?protocol=webrtc');
    const session = body.sessions.find(({ path }) => path === 'live/cut');
    await api(sluice, 'DELETE', `/api/v2/sessions/${session?.id}`);
    await page.getByRole('alert').getByText('Trying again').waitFor();
    expect(await pictureVariance(page)).toBeGreaterThan(100);
    await until('it is back', async () => (await report()).state === 'live', 20_000);
    expect(await page.getByRole('alert').isVisible()).toBe(false);
    await button('Stop').click();
  });

  it('says why it was refused, and takes a key or a token', async () => {
    await open('vip/show');
    const alert = page.getByRole('alert');
    const credential = page.getByLabel('Key or token');
    await button('Go live').click();
    await alert.getByText('You need a key to publish here.').waitFor();
    await credential.fill(`not.a.token${SECRET_MARK}`);
    await credential.press('Enter');
    await alert.getByText('The key is not taken.').waitFor();
    const made = await api<Made>(sluice, 'POST', '/api/v2/stream-keys', { path: 'vip/*', action: 'publish' });
    await credential.fill(made.body.key);
    await credential.press('Enter');
    await live('vip/show');
    expect(await alert.isVisible()).toBe(false);
    await button('Stop').click();
    await page.goto(`${sluice.http}/publish/off/show`);
    await button('Go live').click();
    await alert.getByText('You may not publish here.').waitFor();
    expect((await report()).state).toBe('idle');
  });

  it('passes a credential of its own address on', async () => {
    const made = await api<Made>(sluice, 'POST', '/api/v2/stream-keys', { path: 'vip/*', action: 'publish' });
    await open(`vip/link?key=${made.body.key}`);
    await button('Go live').click();
    await live('vip/link');
    await button('Stop').click();
  });

  it('is found from the start page', async () => {
    await page.goto(`${sluice.http}/`);
    const summary = page.getByText('Publish another stream');
    const go = button('Publish from this browser');
    await summary.or(go).first().waitFor();
    if (await summary.isVisible()) await summary.click();
    await page.getByRole('textbox', { name: 'Name of the stream' }).fill('live/other');
    await go.click();
    await until('it opens', async () => (await pictureVariance(page)) > 100);
    expect(new URL(page.url()).pathname).toBe('/publish/live/other');
  });
});
