import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { api } from './support/api.js';
import { startBrowser, type TestBrowser } from './support/browser.js';
import { CaptureServer } from './support/capture-server.js';
import { type Clip, makeClip } from './support/clip.js';
import { DESKTOP, logIn, overflow, PHONE, seriousFaults, shoot, TAKES_SHOTS } from './support/console.js';
import { IS_LONG } from './support/long.js';
import { ClipPublisher } from './support/publisher.js';
import { recordedFiles } from './support/recordings.js';
import { until } from './support/until.js';
import { rtmpViewer } from './support/viewers.js';

/** Each page that an administrator finds in the menu, beside those of streams and sessions. */
const PAGES = [
  ['recordings', 'Recordings', 'Aufnahmen'],
  ['bbb', 'BigBlueButton', 'BigBlueButton'],
  ['bans', 'Bans', 'Sperren'],
  ['keys', 'Keys and tokens', 'Schlüssel und Token'],
  ['users', 'Users', 'Benutzer'],
  ['server', 'Server', 'Server'],
  ['cluster', 'Cluster and workers', 'Cluster und Worker'],
  ['config', 'Configuration', 'Konfiguration'],
  ['doctor', 'Doctor', 'Doktor'],
  ['audit', 'Audit log', 'Protokoll'],
] as const;

const SETTINGS = [
  '  profiles: { small: { width: 640, height: 360, fps: 10, videoKbps: 400 } }',
  'recording: { flushSeconds: 0.5 }',
  'hls: { segmentSeconds: 1 }',
  '',
].join('\n');

interface Report {
  readonly isPlaying: boolean;
  readonly framesDecoded: number;
  readonly spans: readonly unknown[];
}

const IS_WHOLE = IS_LONG || TAKES_SHOTS;

describe('the console for who looks after a server', () => {
  let capture: CaptureServer;
  let browser: TestBrowser;
  let page: Page;
  let clip: Clip;
  let publisher: ClipPublisher;
  const faults: string[] = [];
  const closers: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    capture = await CaptureServer.start({}, SETTINGS, [{ meetingID: 'room' }]);
    clip = await makeClip('h264', 2);
    publisher = await ClipPublisher.start(`${capture.sluice.rtmp}/live/show`, clip, { loop: true });
    browser = await startBrowser();
    page = await browser.newPage();
    await page.setViewportSize(DESKTOP);
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(`${message.text()} ${message.location().url}`);
    });
    await logIn(page, capture.sluice);
  });
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });
  afterAll(async () => {
    await browser.close();
    await publisher.stop();
    await capture.stop();
  });

  const open = async (path: string) => {
    await page.goto(`${capture.sluice.api}/console/${path}`);
    await page.locator('.page > *').first().waitFor({ state: 'attached' });
    await until('it is loaded', async () => (await page.locator('[aria-busy="true"], .loading').count()) === 0);
  };
  const press = (name: string | RegExp) => page.getByRole('button', { name, exact: typeof name === 'string' }).click();
  const inDialog = () => page.getByRole('dialog');
  const confirm = (name: string) => inDialog().getByRole('button', { name, exact: true }).click();
  const toast = (text: string | RegExp) => page.locator('.toast').filter({ hasText: text }).first().waitFor();

  it('records, plays back by time, keeps and deletes', async () => {
    const settings = { paths: { 'live/show': { access: { play: 'credential' } } } };
    expect((await api(capture.sluice, 'PATCH', '/api/v2/config', settings)).status).toBe(200);
    closers.push(() => api(capture.sluice, 'DELETE', '/api/v2/config/paths'));
    const started = await api<{ id: string }>(capture.sluice, 'POST', '/api/v2/recordings/start', {
      path: 'live/show',
    });
    expect(started.status).toBe(201);
    await open('recordings');
    const active = page.getByRole('region', { name: 'Under way' });
    await active.getByText('live/show').waitFor();
    await until('something is written', async () => {
      const { body } = await api<{ recordings: { bytes: number }[] }>(
        capture.sluice,
        'GET',
        '/api/v2/recordings/active',
      );
      return (body.recordings[0]?.bytes ?? 0) > 350_000;
    });
    await press('Stop the recording of live/show');
    await confirm('Stop');
    await toast('has been stopped');
    await page.getByText('Nothing is being recorded').waitFor();
    await page.getByRole('region', { name: 'Recorded streams' }).getByRole('link', { name: 'live/show' }).click();

    const files = page.getByRole('region', { name: 'Files' });
    await files.getByText('ready').waitFor();
    const report = (): Promise<Report> => page.evaluate('globalThis.sluiceRecordings');
    await until('what is recorded is known', async () => (await report()).spans.length === 1);
    await files.getByRole('button', { name: /^Play the file/ }).click();
    await until('it plays', async () => (await report()).isPlaying, 30_000);
    const { framesDecoded } = await report();
    await until('pictures come', async () => (await report()).framesDecoded > framesDecoded + 10);
    await press('Clip starts here');
    const { framesDecoded: atStart } = await report();
    await until('it goes on', async () => (await report()).framesDecoded > atStart + 15);
    await press('Clip ends here');
    const clipUrl = await page.getByRole('link', { name: /^Download clip/ }).getAttribute('href');
    expect((await fetch((clipUrl ?? '').replace('sign=', 'nothing='))).status).toBe(401);
    const cut = await fetch(clipUrl ?? '');
    expect([cut.status, cut.headers.get('content-type')]).toEqual([200, 'video/mp4']);
    await cut.body?.cancel();
    const href = await files.getByRole('link', { name: /^Download the file/ }).getAttribute('href');
    const whole = await fetch(href ?? '');
    expect(whole.headers.get('content-disposition')).toMatch(/^attachment; filename="live-show-/);
    expect((await whole.arrayBuffer()).byteLength).toBe((await recordedFiles(capture.sluice, 'live/show'))[0]?.bytes);
    await shoot(page, 'recording-desktop');

    await files.getByRole('button', { name: /^Keep the file/ }).click();
    await toast('The file is kept');
    const bin = files.getByRole('button', { name: /^Delete the file/ });
    await until('it may not be deleted', () => bin.isDisabled());
    await files.getByRole('button', { name: /^No longer keep/ }).click();
    await until('it may be deleted', () => bin.isEnabled());
    expect(await seriousFaults(page)).toEqual([]);
    await page.setViewportSize(PHONE);
    expect(await overflow(page)).toBe(0);
    await shoot(page, 'recording-phone');
    await page.setViewportSize(DESKTOP);
    await bin.click();
    await confirm('Delete');
    await page.getByText('There are no files of this stream').waitFor();
    expect(await recordedFiles(capture.sluice, 'live/show')).toEqual([]);
  });

  it('captures a meeting, shows how it is and what it logs, and stops it', async () => {
    await open('bbb');
    await press('Capture a meeting');
    await inDialog().getByLabel('Meeting', { exact: true }).fill('nobody,here');
    await inDialog().getByLabel('Into').fill('live/room');
    await confirm('Start');
    await inDialog()
      .getByText(/a meeting ID has 2 to 256 characters/)
      .waitFor();
    await inDialog().getByLabel('Meeting', { exact: true }).fill('room');
    await inDialog().getByLabel('Profile').selectOption('small');
    await shoot(page, 'capture-start-desktop');
    await confirm('Start');
    await toast('The capture of room begins.');
    const row = page.getByRole('row').filter({ hasText: 'room' });
    if (IS_WHOLE) {
      await row.locator('.badge', { hasText: /^live$/ }).waitFor({ timeout: 45_000 });
      await until('pictures are told of', async () => /[1-9][\d.]* a second/.test((await row.textContent()) ?? ''));
      await shoot(page, 'bbb-live-desktop');
    }
    await row.getByRole('link', { name: 'room' }).click();
    const log = page.getByRole('region', { name: 'Log' });
    await log.getByText(IS_WHOLE ? 'the capture is live' : 'a capture begins').waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    await shoot(page, 'capture-desktop');
    await page.setViewportSize(PHONE);
    expect(await overflow(page)).toBe(0);
    await shoot(page, 'capture-phone');
    await page.setViewportSize(DESKTOP);
    await press('Stop the capture of room');
    await confirm('Stop');
    await page.getByText('It was stopped.').waitFor({ timeout: 20_000 });
    const { body } = await api<{ captures: { state: string }[] }>(capture.sluice, 'GET', '/api/v2/bbb/captures');
    expect(body.captures).toMatchObject([{ state: 'ended' }]);

    const most = (maxCaptures: number) =>
      api(capture.sluice, 'PATCH', '/api/v2/config', { 'bbb.maxCaptures': maxCaptures });
    expect((await most(0)).status).toBe(200);
    await open('bbb');
    await page.getByText('Meetings can’t be captured here').waitFor();
    await page.getByText('bbb.maxCaptures is 0').waitFor();
    expect(await page.getByRole('button', { name: 'Capture a meeting' }).count()).toBe(0);
    await most(2);
  }, 120_000);

  it('shows a stream key once, and cuts its publisher off when it is revoked', async () => {
    await open('keys');
    await page.getByText('There are no stream keys').waitFor();
    await press('Make a stream key');
    await inDialog().getByLabel('Name').fill('studio');
    await inDialog().getByLabel('Paths').fill('not a path');
    await confirm('Make');
    await inDialog()
      .getByText(/a path pattern is app\/name/)
      .waitFor();
    await inDialog().getByLabel('Paths').fill('live/keyed');
    await confirm('Make');
    await inDialog().getByText('Shown this once').waitFor();
    const key = (await inDialog().locator('.copy-row code').first().textContent()) ?? '';
    await shoot(page, 'key-once-desktop');
    await confirm('Close');
    await until('the page does not hold it any more', async () => !(await page.content()).includes(key));
    await page.reload();
    await page.getByText('studio').waitFor();
    expect(await page.content()).not.toContain(key);

    let isCut = false;
    const onClose = () => {
      isCut = true;
    };
    const keyed = await ClipPublisher.start(`${capture.sluice.rtmp}/live/keyed?key=${key}`, clip, {
      loop: true,
      onClose,
    });
    closers.push(async () => keyed.kill());
    await press('Revoke studio');
    await confirm('Revoke');
    await toast('has been revoked');
    await until('the publisher is cut off', () => isCut);
    await page.getByText('There are no stream keys').waitFor();

    await page.getByRole('tab', { name: 'Stream keys' }).focus();
    await page.keyboard.press('ArrowLeft');
    expect(await page.getByRole('tab', { name: 'API keys' }).getAttribute('aria-selected')).toBe('true');
    await press('Make an API key');
    await inDialog().getByLabel('Name').fill('script');
    await confirm('Make');
    const apiKey = (await inDialog().locator('.copy-row code').first().textContent()) ?? '';
    await confirm('Close');
    const asScript = { Authorization: `Bearer ${apiKey}` };
    const status = async () => (await api(capture.sluice, 'GET', '/api/v2/bans', undefined, asScript)).status;
    expect(await status()).toBe(200);
    await press('Revoke script');
    await confirm('Revoke');
    await until('the key holds no more', async () => (await status()) === 401);
    await page.getByRole('tab', { name: 'Tokens' }).click();
    await press('Make a token');
    await inDialog().getByLabel('Paths').fill('live/show');
    await confirm('Make');
    expect(await inDialog().locator('.copy-row code').first().textContent()).toMatch(/^\?sign=/);
    await confirm('Close');
  });

  it('keeps a viewer out', async () => {
    const viewer = await rtmpViewer(`${capture.sluice.rtmp}/live/show`);
    closers.push(() => viewer.leave().catch(() => undefined));
    await until('it plays', () => viewer.samples.length > 0);
    const query = '/api/v2/sessions?action=play&protocol=rtmp';
    const { body } = await api<{ sessions: { id: string }[] }>(capture.sluice, 'GET', query);
    const id = body.sessions[0]?.id ?? '';
    await open('bans');
    await page.getByText('Nobody is banned').waitFor();
    await press('Ban');
    await inDialog().getByLabel('By').selectOption('ip');
    await inDialog().getByLabel('Who').fill('somewhere');
    await confirm('Ban');
    await inDialog()
      .getByText(/an address or a CIDR block/)
      .waitFor();
    await inDialog().getByLabel('By').selectOption('session');
    await inDialog().getByLabel('Who').fill(id);
    await inDialog().getByLabel('Reason').fill('shouts in the chat');
    await confirm('Ban');
    await toast('1 session was ended');
    await page.getByText('shouts in the chat').waitFor();
    await expect(rtmpViewer(`${capture.sluice.rtmp}/live/show`)).rejects.toThrow();
    await press(/^Lift the ban of/);
    await confirm('Lift');
    await page.getByText('Nobody is banned').waitFor();
  });

  it('adds a user, changes and deletes it', async () => {
    await open('users');
    await press('Add a user');
    await inDialog().getByLabel('Name').fill('bert');
    await inDialog().getByLabel('Password').fill('short');
    await confirm('Add');
    await inDialog()
      .getByText(/10 characters|Too small|>=10/)
      .first()
      .waitFor();
    await inDialog().getByLabel('Password').fill('long enough Not4Logs');
    await inDialog().getByLabel('May watch').fill('live/*');
    await confirm('Add');
    await toast('bert has been added.');
    await press('Change bert');
    await inDialog().getByLabel('Role').selectOption('operator');
    await confirm('Save');
    await page.getByRole('row').filter({ hasText: 'bert' }).getByText('Operator').waitFor();
    await press('Delete admin');
    await confirm('Delete');
    await inDialog().getByText('This is the last administrator').waitFor();
    await page.keyboard.press('Escape');
    await inDialog().waitFor({ state: 'detached' });
    expect(await page.evaluate('document.activeElement?.getAttribute("aria-label")')).toBe('Delete admin');
    await press('Delete bert');
    await confirm('Delete');
    await toast('bert has been deleted.');
  });

  it('changes a setting at once, says what is wrong with a value, and takes the change back', async () => {
    await open('config?q=hls.segments');
    await press('Change hls.segments');
    await inDialog().getByLabel('Value').fill('1');
    await confirm('Save');
    await inDialog()
      .getByText(/hls\.segments: 1 is not valid; allowed/)
      .waitFor();
    await shoot(page, 'config-error-desktop');
    await inDialog().getByLabel('Value').fill('9');
    await confirm('Save');
    await toast('hls.segments is in force.');
    await page.locator('[data-key="hls.segments"]').getByText('changed here').waitFor();
    const setting = async () => {
      const { body } = await api<{ settings: { key: string; value: unknown }[] }>(
        capture.sluice,
        'GET',
        '/api/v2/config',
      );
      return body.settings.find(({ key }) => key === 'hls.segments')?.value;
    };
    expect(await setting()).toBe(9);
    await press('Take back the change of hls.segments');
    await confirm('Take back');
    await toast('has been taken back');
    expect(await setting()).toBe(6);
    await open('config?q=data.dir');
    await page
      .locator('[data-key="data.dir"]')
      .getByText(/SLUICE_DATA_DIR: change it there/)
      .waitFor();
    expect(await page.getByRole('button', { name: 'Change data.dir' }).count()).toBe(0);
  });

  it('finds in the audit log what was done, page by page', async () => {
    await open('audit');
    await page.getByLabel('What', { exact: true }).selectOption('config.');
    const users = page.getByRole('cell', { name: 'user.create' });
    await until('only changes of settings are shown', async () => (await users.count()) === 0);
    await page.getByRole('cell', { name: 'config.unset' }).first().waitFor();
    expect(page.url()).toContain('action=config.');
    await page.getByLabel('Who', { exact: true }).fill('user:nobody');
    await press('Show');
    await page.getByText('Nothing fits').waitFor();
    await press('Clear');
    const made = Array.from({ length: 110 }, () =>
      api(capture.sluice, 'POST', '/api/v2/tokens', { path: 'live/show' }),
    );
    await Promise.all(made);
    const query = '/api/v2/audit?action=token.create&limit=500';
    const written = async () => (await api<{ entries: object[] }>(capture.sluice, 'GET', query)).body.entries.length;
    await until('all are written', async () => (await written()) >= 110);
    await press('Show');
    const rows = page.getByRole('row');
    await until(
      'the newest hundred are shown',
      async () => (await rows.filter({ hasText: 'token.create' }).count()) === 100,
    );
    expect(await users.count()).toBe(0);
    await press('Older entries');
    await users.first().waitFor();
    await page.getByText('there are no older entries').waitFor();
    expect(await rows.filter({ hasText: 'token.create' }).count()).toBe(await written());
  });

  it('shows workers and nodes where the server has any', async () => {
    const worker = { id: 1, pid: 4711, state: 'ready', sessions: 950, cpu: 0.62, memoryBytes: 210e6, restarts: 0 };
    const node = {
      role: 'edge',
      elected: false,
      streams: 12,
      sessions: 950,
      cpu: 0.62,
      memoryBytes: 210e6,
      since: '2026-11-21T08:00:00Z',
    };
    const nodes = [
      { ...node, id: 'a', name: 'berlin-1', role: 'origin', state: 'serving', elected: true },
      { ...node, id: 'b', name: 'berlin-2', state: 'draining', sessions: 17 },
      { ...node, id: 'c', name: 'oslo-1', state: 'lost', sessions: 0 },
    ];
    const workers = [worker, { ...worker, id: 2, pid: 4712, state: 'starting', sessions: 0, restarts: 3 }];
    await page.route('**/api/v2/cluster', (route) => route.fulfill({ json: { node: 'a', nodes, workers } }));
    closers.push(() => page.unroute('**/api/v2/cluster'));
    await open('cluster');
    await page.getByRole('row').filter({ hasText: 'berlin-1' }).getByText('this one').waitFor();
    await page.getByRole('row').filter({ hasText: '4711' }).getByText('950').waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    await shoot(page, 'cluster-of-three-desktop');
    await page.setViewportSize(PHONE);
    expect(await overflow(page)).toBe(0);
    await shoot(page, 'cluster-of-three-phone');
    await page.setViewportSize(DESKTOP);
  });

  describe('on each page', () => {
    /** Something to be seen. */
    beforeAll(async () => {
      const make = async (path: string, body: object) => {
        const { status } = await api(capture.sluice, 'POST', `/api/v2${path}`, body);
        expect([200, 201, 202], path).toContain(status);
      };
      const password = 'long enough Not4Logs';
      await make('/users', { name: 'anna', password, role: 'operator', publish: ['live/*'], play: ['*/*'] });
      await make('/users', { name: 'bert', password, play: ['live/show'] });
      await make('/stream-keys', { label: 'studio', path: 'live/show' });
      await make('/stream-keys', { label: 'outside broadcast', path: 'live/*', seconds: 86_400 });
      await make('/bans', { kind: 'ip', value: '192.0.2.0/24', reason: 'scans', seconds: 3600 });
      await make('/bans', { kind: 'viewer', value: 'mallory', path: 'live/*', reason: 'shares the account' });
      await make('/recordings/start', { path: 'live/show' });
    });

    it.each(PAGES)(
      'shows /%s to anybody: to readers, on a phone, in German, in the dark',
      async (path, english, german) => {
        await open(path === 'config' ? 'config?show=set' : path);
        await page.getByRole('heading', { level: 1, name: english }).waitFor();
        if (IS_WHOLE) {
          await page.emulateMedia({ colorScheme: 'light' });
          expect(await seriousFaults(page)).toEqual([]);
          expect(await overflow(page)).toBe(0);
          await shoot(page, `${path}-desktop`);
          await page.setViewportSize(PHONE);
          await shoot(page, `${path}-phone`);
          await page.setViewportSize(DESKTOP);
        }
        await page.emulateMedia({ colorScheme: 'dark' });
        await page.getByRole('combobox', { name: 'Language' }).selectOption('de');
        await page.getByRole('heading', { level: 1, name: german }).waitFor();
        expect(await page.getAttribute('html', 'lang')).toBe('de');
        await page.setViewportSize(PHONE);
        await until('it is loaded', async () => (await page.locator('[aria-busy="true"], .loading').count()) === 0);
        expect(await seriousFaults(page)).toEqual([]);
        expect(await overflow(page), 'wider than a phone').toBe(0);
        await shoot(page, `${path}-phone-dark-de`);
        await page.setViewportSize(DESKTOP);
        await page.getByRole('combobox', { name: 'Sprache' }).selectOption('en');
        await page.getByRole('heading', { level: 1, name: english }).waitFor();
      },
    );
  });

  it('has thrown nothing and been refused nothing that it did not ask for', () => {
    // What was refused on purpose is told by the browser, too.
    expect(faults.filter((fault) => !/status of (400|404|409)|auth\/refresh/.test(fault))).toEqual([]);
  });
});
