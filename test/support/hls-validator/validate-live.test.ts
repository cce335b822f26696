import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ffmpeg, testPicture, testSound } from '../ffmpeg.js';
import { type FragmentedClip, fragmentedClip, LowLatencyOrigin, type Tamper } from './low-latency-origin.js';
import { HTTP_RULES } from './rules.js';
import { validateLive } from './validate-live.js';

describe('validateLive over what ffmpeg makes', () => {
  let directory: string;
  let server: Server;
  let base: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-hls-'));
    server = createServer((request, response) => {
      const name = new URL(request.url ?? '/', 'http://x').pathname.slice(1);
      readFile(join(directory, name)).then(
        (bytes) => {
          const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
          if (first !== undefined) response.statusCode = 206;
          const end = last === undefined ? undefined : Number(last) + 1;
          if (!name.endsWith('.m3u8')) return response.end(bytes.subarray(Number(first ?? 0), end));
          response.writeHead(200, { 'Content-Type': 'application/vnd.apple.mpegurl', 'Content-Encoding': 'gzip' });
          return response.end(gzipSync(bytes));
        },
        () => response.writeHead(404).end(),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    await new Promise((resolve) => server.close(resolve));
    await rm(directory, { recursive: true });
  });

  const encode = (...muxer: string[]) => {
    const encoder = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '50', '-keyint_min', '50', '-bf', '2'];
    return ffmpeg([...testPicture({ seconds: 8 }), ...testSound(8), ...encoder, '-c:a', 'aac', '-f', 'hls', ...muxer]);
  };

  it.each([
    ['TS, whole', 'vod-ts', ['-hls_playlist_type', 'vod']],
    ['TS, an event', 'event-ts', ['-hls_playlist_type', 'event', '-hls_flags', 'program_date_time']],
    ['fMP4, whole', 'vod-mp4', ['-hls_playlist_type', 'vod', '-hls_segment_type', 'fmp4']],
    ['byte ranges', 'ranges', ['-hls_playlist_type', 'vod', '-hls_flags', 'single_file']],
  ])('finds nothing wrong with %s', async (_what, name, options) => {
    const init = ['-hls_fmp4_init_filename', `${name}-init.mp4`];
    await encode(...options, '-hls_time', '2', '-hls_list_size', '0', ...init, join(directory, `${name}.m3u8`));
    const findings = await validateLive(`${base}/${name}.m3u8`);
    // For fMP4 ffmpeg says version 7, and 6 would do.
    expect(findings.filter(({ rule }) => rule !== 'version-too-high')).toEqual([]);
  });

  it('follows the variants of a multivariant playlist, and measures them', async () => {
    const variants = ['-map', '0:v', '-map', '1:a', '-map', '0:v', '-map', '1:a', '-var_stream_map', 'v:0,a:0 v:1,a:1'];
    const sizes = ['-s:v:0', '160x90', '-s:v:1', '320x180', '-b:v', '300k', '-hls_playlist_type', 'vod'];
    await encode(...variants, ...sizes, '-hls_time', '2', '-master_pl_name', 'all.m3u8', join(directory, 'v%v.m3u8'));
    const findings = await validateLive(`${base}/all.m3u8`);
    // It says the bit rate that it was asked for, and no frame rate.
    const rules = new Set(findings.map(({ rule }) => rule));
    rules.delete('bandwidth-exceeded');
    expect([...rules]).toEqual(['frame-rate-missing']);
  });
});

describe('validateLive over a low-latency server', () => {
  let clip: FragmentedClip;
  beforeAll(async () => {
    clip = await fragmentedClip();
  });

  it('finds nothing wrong with a good one', async () => {
    const origin = await LowLatencyOrigin.start(clip);
    const findings = await validateLive(`${origin.url}/live/a.m3u8`, { seconds: 3, jitterSeconds: 1 });
    await origin.stop();
    expect(findings).toEqual([]);
  });

  const failing =
    (which: (path: string, url: URL) => boolean): Tamper =>
    (url, answer) =>
      which(url.pathname, url) ? { ...answer, status: 404 } : answer;
  const isPlaylist = (url: URL) => url.pathname.startsWith('/live/a');
  const numberOf = (url: URL) => Number(/v-(\d+)/.exec(url.pathname)?.[1] ?? Number.NaN);
  const isPart = (url: URL) => /v-\d+\.\d/.test(url.pathname);

  const FAULTS: [rule: keyof typeof HTTP_RULES, tamper: Tamper, path?: string][] = [
    ['playlist-unavailable', failing((path) => path === '/live/a.m3u8')],
    [
      'playlist-not-utf-8',
      (url, answer) =>
        isPlaylist(url) ? { ...answer, body: Buffer.concat([answer.body, Buffer.from('#\xff\n', 'latin1')]) } : answer,
    ],
    [
      'playlist-content-type',
      (url, answer) => (isPlaylist(url) ? { ...answer, type: 'text/plain' } : answer),
      '/live/a',
    ],
    ['playlist-not-zipped', (_url, answer) => ({ ...answer, zipped: false })],
    ['segment-unavailable', failing((path) => path.endsWith('/v-3.m4s'))],
    ['part-unavailable', failing((path) => path.endsWith('/v-6.2.m4s'))],
    ['map-unavailable', failing((path) => path.endsWith('/init.mp4'))],
    ['hint-unavailable', failing((path) => path.endsWith('/v-9.2.m4s'))],
    [
      'removed-segment-gone',
      (url, answer, { first }) => (!isPart(url) && numberOf(url) < first ? { ...answer, status: 404 } : answer),
    ],
    [
      'removed-part-gone',
      (url, answer, { firstParted }) =>
        isPart(url) && numberOf(url) < firstParted ? { ...answer, status: 404 } : answer,
    ],
    ['part-without-msn', (url, answer) => (url.search === '?_HLS_part=0' ? { ...answer, status: 200 } : answer)],
    ['msn-too-far', (url, answer) => (/msn=10\d$/.test(url.search) ? { ...answer, status: 200 } : answer)],
  ];

  it.concurrent.each(FAULTS)('reports %s', async (rule, tamper, path = '/live/a.m3u8') => {
    const origin = await LowLatencyOrigin.start(clip, tamper);
    const findings = await validateLive(origin.url + path, { seconds: 3, media: false });
    await origin.stop();
    // Of the other rules none is at stake here, and pace is another's where many run at once.
    const rules = findings.map((finding) => finding.rule).filter((found) => found in HTTP_RULES);
    // What was hinted at and is asked for late, on a busy machine, is a part that is gone, too.
    const own = rule === 'removed-part-gone' ? rules.filter((found) => found !== 'hint-unavailable') : rules;
    expect([...new Set(own)]).toEqual([rule]);
  });

  it('has each rule on servers broken by a test', () => {
    expect(new Set(FAULTS.map(([rule]) => rule))).toEqual(new Set(Object.keys(HTTP_RULES)));
  });

  it('looks into parts, and into delta updates', async () => {
    const origin = await LowLatencyOrigin.start(clip, (url, answer) => {
      if (url.pathname.endsWith('/v-8.3.m4s')) return { ...answer, body: answer.body.subarray(0, -1) };
      const skipping = Buffer.from(answer.body.toString().replace(/(SKIPPED-SEGMENTS=)\d+/, '$11'));
      return url.searchParams.has('_HLS_skip') ? { ...answer, body: skipping } : answer;
    });
    const findings = await validateLive(`${origin.url}/live/a.m3u8`, { seconds: 3, jitterSeconds: 1 });
    await origin.stop();
    const rules = new Set(findings.map(({ rule }) => rule));
    expect(rules).toEqual(new Set(['parts-differ-from-segment', 'delta-mismatch']));
  });

  it('ends when it is told to', async () => {
    const origin = await LowLatencyOrigin.start(clip);
    const stop = new AbortController();
    const running = validateLive(`${origin.url}/live/a.m3u8`, { seconds: 600, signal: stop.signal });
    stop.abort();
    expect(await running).toEqual([]);
    await origin.stop();
  });
});
