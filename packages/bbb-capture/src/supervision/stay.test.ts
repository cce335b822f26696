import { readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultCaptureProfile, findFfmpeg, silentLogger } from '@sluice/core';
import { micros } from '@sluice/media';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SecretUrl } from '../api/secret-url.js';
import { findChromium } from '../browser/find-chromium.js';
import type { StayNews } from './capture-input.js';
import { processTree } from './process-tree.js';
import { BrowserStay } from './stay.js';

const CLOSE_MS = 700;
/** Killing, tidying up, and a busy machine. */
const SOON_MS = 10_000;
let folder: string;
const opened: BrowserStay[] = [];
const outside = process.env.TMPDIR;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-stay-'));
  process.env.TMPDIR = folder;
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((stay) => stay.close()));
  if (outside === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = outside;
  await rm(folder, { recursive: true, force: true });
}, 20_000);

function openStay(browser: string) {
  const news: StayNews[] = [];
  const stay = new BrowserStay({
    link: async () => new SecretUrl('http://127.0.0.1:1/none'),
    profile: { ...defaultCaptureProfile, width: 320, height: 240 },
    browser,
    ffmpeg: findFfmpeg(process.env) ?? 'ffmpeg',
    epoch: micros(0),
    log: silentLogger,
    onNews: (one) => news.push(one),
    onConfig: () => undefined,
    onSample: () => undefined,
    onGeneration: () => undefined,
    closeMs: CLOSE_MS,
  });
  opened.push(stay);
  return { stay, news };
}

/** The browsers whose home is in this test's folder. */
function browsers(): number[] {
  return readdirSync('/proc').flatMap((name) => {
    const isOurs = /^\d+$/.test(name) && read(`/proc/${name}/environ`).includes(`HOME=${folder}/`);
    return isOurs ? [Number(name)] : [];
  });
}

/** Their tabs, which hide their environment. */
async function tabs(): Promise<number[]> {
  const [, marker] = browsers().flatMap((pid) => /by-title=([^\0]+)/.exec(read(`/proc/${pid}/cmdline`)) ?? []);
  const all = marker === undefined ? [] : await processTree(marker);
  return all.filter((pid) => read(`/proc/${pid}/cmdline`).includes('--type=renderer'));
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    // It has ended, or is another's.
    return '';
  }
}

async function endsSoon({ stay, news }: ReturnType<typeof openStay>): Promise<void> {
  const began = performance.now();
  await stay.close();
  expect(performance.now() - began).toBeLessThan(SOON_MS);
  expect(news.at(-1)).toEqual({ kind: 'closed' });
  await vi.waitFor(() => expect(browsers()).toEqual([]), 5000);
  expect((await readdir(folder)).filter((name) => name.startsWith('sluice-bbb-'))).toEqual([]);
}

test('a browser that never answers is ended in time, also while it is waited for', async () => {
  const program = join(folder, 'chromium');
  await writeFile(program, '#!/bin/sh\ntrap "" TERM\nwhile :; do sleep 1; done\n');
  await chmod(program, 0o755);
  const stay = openStay(program);
  await vi.waitFor(() => expect(browsers()).not.toEqual([]), 15_000);
  await endsSoon(stay);
}, 40_000);

test('a browser that stops while its tabs open is ended in time', async () => {
  const stay = openStay(findChromium(undefined, process.env));
  await vi.waitFor(async () => expect(await tabs()).not.toEqual([]), { timeout: 20_000, interval: 5 });
  for (const pid of browsers()) process.kill(pid, 'SIGSTOP');
  await endsSoon(stay);
}, 40_000);

test('a browser that is fine is left politely', async () => {
  const stay = openStay(findChromium(undefined, process.env));
  await vi.waitFor(() => expect(stay.news).toContainEqual(expect.objectContaining({ kind: 'failed' })), 20_000);
  expect(stay.news.at(-1)).toMatchObject({ kind: 'failed', failure: 'unreachable' });
  await endsSoon(stay);
  await stay.stay.close();
  expect(stay.news.filter(({ kind }) => kind === 'closed')).toHaveLength(1);
}, 40_000);
