import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@sluice/core';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CaptureBrowser } from './browser.js';
import { findChromium } from './find-chromium.js';

const PROFILE = { width: 320, height: 240, locale: 'en', method: 'tab' } as const;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function makeProgram(name: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, '#!/bin/sh\necho "https://bbb.example/join?checksum=5ecret" >&2\nexit 3\n');
  await chmod(file, 0o755);
  return file;
}

test('the configured browser is taken, or the first on the PATH', async () => {
  const file = await makeProgram('google-chrome');
  expect(findChromium(file, {})).toBe(file);
  expect(findChromium(undefined, { PATH: folder })).toBe(file);
  const none = expect.objectContaining({ code: 'no-browser' });
  expect(() => findChromium(join(folder, 'nothing'), { PATH: folder })).toThrow(none);
  expect(() => findChromium(undefined, { PATH: '/nowhere' })).toThrow(none);
});

test('what a browser says itself when it does not start is told', async () => {
  const file = join(folder, 'chromium');
  await writeFile(
    file,
    '#!/bin/sh\necho "[1:1:0101/1.1:FATAL:zygote.cc] No usable sandbox!" >&2\necho later >&2\nexit 1\n',
  );
  await chmod(file, 0o755);
  const starting = CaptureBrowser.launch({ executable: file, profile: PROFILE, log: silentLogger });
  await expect(starting).rejects.toMatchObject({
    code: 'no-browser',
    message: expect.stringMatching(/^[^\n]+No usable sandbox!\)$/),
  });
});

test('a browser that does not start is told in one line, and leaves no profile', async () => {
  const executable = await makeProgram('chromium');
  const profiles = async () => (await readdir(tmpdir())).filter((name) => name.startsWith('sluice-bbb-')).length;
  const before = await profiles();
  const starting = CaptureBrowser.launch({ executable, profile: PROFILE, log: silentLogger });
  await expect(starting).rejects.toMatchObject({ code: 'no-browser', message: expect.not.stringMatching(/5ecret|\n/) });
  expect(await profiles()).toBe(before);
});

test.runIf(process.getuid?.() === 0)('a user without a home is told so, and the process goes on', async () => {
  const compiled = new URL('../../dist/browser/browser.js', import.meta.url).href;
  const options = `{ executable: '/bin/false', profile: ${JSON.stringify(PROFILE)}, log: {} }`;
  const program = `
    import { CaptureBrowser } from '${compiled}';
    await CaptureBrowser.launch(${options}).catch(({ code, message }) => console.log(code + ': ' + message));
    setTimeout(() => console.log('and goes on'), 100);`;
  const nobody = { uid: 61_234, gid: 61_234, env: { PATH: process.env.PATH ?? '' } };
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { ...nobody, cwd: '/' });
  let said = '';
  child.stdout.on('data', (bytes: Buffer) => {
    said += bytes;
  });
  const [status] = await once(child, 'close');
  expect([said, status]).toEqual([expect.stringMatching(/^no-browser: .*set .*HOME\nand goes on\n$/), 0]);
});

test.runIf(process.getuid?.() === 0)('root is warned that the sandbox is off', async () => {
  const said: string[] = [];
  const log = { ...silentLogger, warn: (_: unknown, message: string) => said.push(message) };
  const browser = await CaptureBrowser.launch({
    executable: findChromium(undefined, process.env),
    profile: PROFILE,
    log,
  });
  await browser.close();
  expect(said).toEqual([expect.stringContaining('without its sandbox')]);
});

test('a tab that crashes leaves no dump of what it held', async () => {
  const outside = process.env.TMPDIR;
  process.env.TMPDIR = folder;
  const executable = findChromium(undefined, process.env);
  const browser = await CaptureBrowser.launch({ executable, profile: PROFILE, log: silentLogger });
  try {
    const page = await browser.newPage();
    await Promise.allSettled([page.waitForEvent('crash'), page.goto('chrome://crash')]);
    const files = await readdir(folder, { recursive: true });
    expect(files.length).toBeGreaterThan(10);
    expect(files.filter((file) => file.endsWith('.dmp'))).toEqual([]);
  } finally {
    await browser.close();
    if (outside === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = outside;
  }
});

test('what a page opens by itself is closed, whether it tells of its opener or not', async () => {
  const executable = findChromium(undefined, process.env);
  const browser = await CaptureBrowser.launch({ executable, profile: PROFILE, log: silentLogger });
  try {
    const page = await browser.newPage();
    const other = await browser.newPage();
    for (const features of ['', 'noopener']) {
      const [popup] = await Promise.all([
        page.context().waitForEvent('page'),
        page.evaluate(`void window.open('about:blank', '_blank', '${features}')`),
      ]);
      await vi.waitFor(() => expect(popup.isClosed()).toBe(true), 5000);
    }
    expect(page.context().pages()).toEqual([page, other]);
  } finally {
    await browser.close();
  }
});
