import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Fmp4Reader } from '@sluice/media';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { api } from './support/api.js';
import { pictureVariance, playerReport, startBrowser, type TestBrowser } from './support/browser.js';
import { playEncrypted } from './support/clear-key-page.js';
import { makeClip } from './support/clip.js';
import { validateLive } from './support/hls-validator/validate-live.js';
import { IS_LONG } from './support/long.js';
import { ClipPublisher } from './support/publisher.js';
import { SECRET_MARK, startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';

const run = promisify(execFile);
const KEY_SEGMENTS = 3;
const PASSWORD = `pass-word-${SECRET_MARK}`;
const CONFIG = `
  hls: { segmentSeconds: 1, segments: 8, always: true, keySegments: ${KEY_SEGMENTS} }
  paths:
    "ts/*": { hls: { encryption: aes-128, container: mpegts } }
    "mp4/*": { hls: { encryption: aes-128 } }
    "sample/*": { hls: { encryption: sample-aes } }
    "sample/one-key": { hls: { keySegments: 0 } }
    "locked/*": { access: { play: credential }, hls: { encryption: aes-128, container: mpegts } }`;
const PATHS = ['ts/show', 'mp4/show', 'sample/show', 'sample/one-key', 'locked/show'] as const;

/** A listed segment with the key and the init segment that hold for it. */
interface Listed {
  readonly url: string;
  readonly key: string;
  readonly init: string | undefined;
}

function listedIn(playlist: string, base: string): Listed[] {
  let [key, init]: [string, string | undefined] = ['', undefined];
  const absolute = (uri: string) => new URL(uri, base).href;
  return playlist.split('\n').flatMap((line) => {
    const [, tag, uri] = /^#EXT-X-(KEY|MAP):.*URI="([^"]+)"/.exec(line) ?? [];
    if (line === '#EXT-X-KEY:METHOD=NONE') key = '';
    if (tag === 'KEY' && uri !== undefined) key = absolute(uri);
    if (tag === 'MAP' && uri !== undefined) init = absolute(uri);
    return line === '' || line.startsWith('#') ? [] : [{ url: absolute(line), key, init }];
  });
}

async function get(url: string): Promise<Buffer> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

describe('encrypted HLS', { timeout: 90_000 }, () => {
  let sluice: TestServer;
  let browser: TestBrowser;
  let directory: string;
  const publishers: ClipPublisher[] = [];
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-encrypted-'));
    sluice = await startServer(CONFIG);
    browser = await startBrowser();
    const clip = await makeClip('h264', 120);
    for (const path of PATHS) publishers.push(await ClipPublisher.start(`${sluice.rtmp}/${path}`, clip));
  }, 60_000);
  afterAll(async () => {
    for (const publisher of publishers) await publisher.stop();
    await browser.close();
    await sluice.stop();
    await rm(directory, { recursive: true });
  });

  const urlOf = (path: string, query = '') => `${sluice.http}/${path}.m3u8${query}`;
  const listed = async (path: string, query = '') => {
    const url = urlOf(path, query);
    const response = await fetch(url);
    return listedIn(await response.text(), url);
  };
  /** Once there are segments of two keys, and of the first all that it is for. */
  const rotated = async (path: string) => {
    let all: Listed[] = [];
    await until(
      `${path} has segments of two keys`,
      async () => {
        all = await listed(path);
        return new Set(all.map(({ key }) => key)).size > 1;
      },
      30_000,
    );
    return all;
  };
  /** Pictures that ffmpeg decodes; throws where it has anything to say. */
  const decoded = async (args: readonly string[]) => {
    const format = ['-map', '0:v', '-map', '0:a', '-f', 'framemd5', '-'];
    const all = ['-nostdin', '-v', 'error', '-xerror', '-err_detect', 'explode', ...args, ...format];
    const { stdout, stderr } = await run('ffmpeg', all, { maxBuffer: 1 << 26 });
    if (stderr !== '') throw new Error(stderr);
    return stdout.split('\n').filter((line) => line.startsWith('0,')).length;
  };

  it.each(IS_LONG ? ['ts/show', 'mp4/show', 'sample/show'] : ['sample/show'])(
    'keeps the rules of HLS while keys change: %s',
    async (path) => {
      const before = await rotated(path);
      const findings = await validateLive(urlOf(path), { seconds: 8 });
      expect(findings.filter(({ level }) => level === 'must')).toEqual([]);
      const after = await listed(path);
      expect(after.at(-1)?.key).not.toBe(before.at(-1)?.key);
      for (const { key } of [...before, ...after]) expect(key).toMatch(/\/hls\/[0-9a-f]+-key\d+\.key$/);
    },
  );

  it('gives each key to so many segments', async () => {
    const counts = new Map<string, number>();
    for (const { key } of await rotated('ts/show')) counts.set(key, (counts.get(key) ?? 0) + 1);
    // Those of the first and the last may be listed in part.
    for (const count of [...counts.values()].slice(1, -1)) expect(count).toBe(KEY_SEGMENTS);
    for (const count of counts.values()) expect(count).toBeLessThanOrEqual(KEY_SEGMENTS);
    expect(new Set((await listed('sample/one-key')).map(({ key }) => key)).size).toBe(1);
  });

  // ffmpeg takes one key for all samples of fragmented MP4.
  it.each(['ts/show', 'mp4/show', 'sample/one-key'])(
    'is played by ffmpeg, which fetches the keys: %s',
    async (path) => {
      if (path !== 'sample/one-key') await rotated(path);
      else await until('there are segments', async () => (await listed(path)).length > 2);
      const frames = await decoded(['-live_start_index', '0', '-t', '6', '-i', urlOf(path)]);
      expect(frames).toBeGreaterThan(6 * 25 - 5);
    },
  );

  it('can be decrypted with the keys that its init segments name, and not without', async () => {
    const all = await rotated('sample/show');
    // Where it can seek, ffmpeg 5 reads samples by their times, and loses which fragment says how they are encrypted.
    const inOrder = ['-seekable', '0'];
    for (const key of new Set(all.map((segment) => segment.key))) {
      const own = all.filter((segment) => segment.key === key);
      const inits = new Set(own.map(({ init }) => init));
      expect(inits.size).toBe(1);
      const bytes = await Promise.all([...inits, ...own.map(({ url }) => url)].map((url) => get(url ?? '')));
      const file = join(directory, 'segments.mp4');
      await writeFile(file, Buffer.concat(bytes));
      const secret = (await get(key)).toString('hex');
      expect(await decoded([...inOrder, '-decryption_key', secret, '-i', file])).toBe(own.length * 25);
      await expect(decoded([...inOrder, '-i', file])).rejects.toThrow();
      await expect(decoded([...inOrder, '-decryption_key', '00'.repeat(16), '-i', file])).rejects.toThrow();
    }
  });

  it.each(IS_LONG ? ['ts/show', 'mp4/show'] : ['ts/show'])(
    'is played by hls.js through changes of the key: %s',
    async (path) => {
      await rotated(path);
      const page = await browser.newPage();
      const keys = new Set<string>();
      page.on('request', (request) => request.url().endsWith('.key') && keys.add(request.url()));
      await page.goto(`${sluice.http}/player/${path}?protocol=hls`);
      const isThrough = async () => keys.size > 1 && (await playerReport(page)).framesDecoded > KEY_SEGMENTS * 2 * 25;
      await until('pictures of two keys are decoded', isThrough, 40_000);
      expect(await playerReport(page)).toMatchObject({ state: 'playing', videoWidth: 320, errors: 0 });
      expect(await pictureVariance(page)).toBeGreaterThan(100);
      await page.close();
    },
  );

  // No hls.js: it knows SAMPLE-AES with an identity key in MPEG-TS only.
  it('is played by Chromium out of MP4 with encrypted samples, through a change of the key', async () => {
    const all = await rotated('sample/show');
    const inits = [...new Set(all.flatMap(({ init }) => init ?? []))];
    const pieces: Buffer[] = [];
    const keys: { keyId: Buffer; key: Buffer }[] = [];
    for (const url of inits) {
      const init = await get(url);
      const own = all.filter((segment) => segment.init === url);
      pieces.push(init, ...(await Promise.all(own.map((segment) => get(segment.url)))));
      // `tenc`, ISO 23001-7 §8.2: the key id is behind 4 bytes of version and flags, and 4 of the pattern.
      const tenc = init.indexOf('tenc') + 4;
      keys.push({ keyId: init.subarray(tenc + 8, tenc + 24), key: await get(own[0]?.key ?? '') });
    }
    const played = await playEncrypted(browser, { pieces, keys, codecs: ['avc1.42C015', 'mp4a.40.2'] });
    expect(played).toMatchObject({ error: '', ranges: 1, stalls: 0 });
    expect(played.frames).toBeGreaterThan((all.length - 1) * 25);
    expect(played.energy).toBeGreaterThan(1e-3);
  });

  it('is readable in nothing but its lengths and times', async () => {
    const [segment] = await rotated('sample/show');
    const [init, bytes] = [await get(segment?.init ?? ''), await get(segment?.url ?? '')];
    const events = new Fmp4Reader().push(Buffer.concat([init, bytes]));
    expect(events.filter(({ type }) => type === 'sample')).toEqual([]);
    const [ts] = await rotated('ts/show');
    const packets = await get(ts?.url ?? '');
    expect(packets.length % 16).toBe(0);
    expect(packets.length % 188).not.toBe(0);
  });

  it('gives a key to those only who may watch, to be kept by nobody, and never to the log', async () => {
    const user = { name: 'anna', password: PASSWORD, publish: [], play: ['locked/*'] };
    expect((await api(sluice, 'POST', '/api/v2/users', user)).status).toBe(201);
    const query = `?user=anna&pass=${PASSWORD}`;
    await until('a segment is there', async () => (await listed('locked/show', query)).length > 0);
    const [{ key = '', url = '' } = {}] = await listed('locked/show', query);
    expect(key).toMatch(/\.key\?session=.+/);
    const bare = key.replace(/\?.*/, '');
    for (const refused of [bare, `${bare}?session=wrong`])
      expect([refused, (await fetch(refused)).status]).toEqual([refused, 401]);
    const response = await fetch(key);
    const secret = Buffer.from(await response.arrayBuffer());
    expect([response.status, secret.length]).toEqual([200, 16]);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect((await fetch(url)).headers.get('cache-control')).toContain('private');
    // On an open path, too.
    const [open] = await rotated('ts/show');
    expect((await fetch(open?.key ?? '')).headers.get('cache-control')).toBe('no-store');
    expect((await fetch(bare.replace(/key\d+/, 'key999'))).status).toBe(401);
    expect((await fetch(key.replace(/key\d+/, 'key999'))).status).toBe(404);
    const log = JSON.stringify(sluice.log);
    for (const form of ['hex', 'base64', 'base64url'] as const) expect(log).not.toContain(secret.toString(form));
    expect(log).not.toContain(JSON.stringify([...secret]));
  });
});
