import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeClip } from './support/clip.js';
import { ffprobe } from './support/ffmpeg.js';
import { ClipPublisher, exited, ffmpegPublisher } from './support/publisher.js';
import { startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';
import { parsePlaylist } from './support/viewers.js';

describe('what players and caches see over HTTP', () => {
  let sluice: TestServer;
  let publisher: ClipPublisher;
  beforeAll(async () => {
    sluice = await startServer('hls: { segmentSeconds: 1, segments: 3 }');
    publisher = await ClipPublisher.start(`${sluice.rtmp}/live/show`, await makeClip('h264', 2), { loop: true });
  });
  afterAll(async () => {
    await publisher.stop();
    await sluice.stop();
  });

  const playlistUrl = () => `${sluice.http}/live/show.m3u8`;

  it('keeps the rules of RFC 8216 while the window moves', async () => {
    const seen: ReturnType<typeof parsePlaylist>[] = [];
    await until(
      'the window has moved four times',
      async () => {
        const response = await fetch(playlistUrl());
        if (!response.ok) return false;
        const text = await response.text();
        expect(text).toMatch(/^#EXTM3U\n#EXT-X-VERSION:\d/);
        const dates = [...text.matchAll(/#EXT-X-PROGRAM-DATE-TIME:(\S+)/g)].map(([, date = '']) => Date.parse(date));
        for (const date of dates) expect(Math.abs(Date.now() - date)).toBeLessThan(20_000);
        seen.push(parsePlaylist(text, playlistUrl()));
        return (seen.at(-1)?.mediaSequence ?? 0) >= 4;
      },
      20_000,
    );
    const names = new Map<string, number>();
    for (const playlist of seen) {
      expect(playlist.targetDuration).toBe(seen[0]?.targetDuration);
      expect(playlist.segments.length).toBeLessThanOrEqual(3);
      playlist.segments.forEach((segment, index) => {
        expect(Math.round(segment.duration)).toBeLessThanOrEqual(playlist.targetDuration);
        // A segment keeps its number for as long as it is listed.
        const number = playlist.mediaSequence + index;
        expect(names.get(segment.url) ?? number).toBe(number);
        names.set(segment.url, number);
      });
    }
    // What has left the playlist is still there for those who are behind.
    const [left = ''] = names.keys();
    const last = seen.at(-1)?.segments.map(({ url }) => url) ?? [];
    expect(last).not.toContain(left);
    const recent = [...names.keys()].at(-4) ?? '';
    expect((await fetch(recent)).status).toBe(200);
  });

  it('says how long things may be kept, lets pages of other origins read them, and zips playlists', async () => {
    const playlist = await fetch(playlistUrl());
    const text = await playlist.text();
    expect(playlist.headers.get('content-type')).toBe('application/vnd.apple.mpegurl');
    expect(playlist.headers.get('cache-control')).toBe('public, max-age=0, s-maxage=1');
    expect(playlist.headers.get('access-control-allow-origin')).toBe('*');
    expect(playlist.headers.get('vary')).toMatch(/Accept-Encoding/);
    const segmentUrl = parsePlaylist(text, playlistUrl()).segments.at(-1)?.url ?? '';
    const segment = await fetch(segmentUrl);
    expect(segment.headers.get('content-type')).toBe('video/mp4');
    expect(segment.headers.get('cache-control')).toMatch(/max-age=\d+, immutable/);
    expect(Buffer.from(await segment.arrayBuffer()).toString('latin1', 4, 8)).toBe('styp');
    const zipped = await new Promise<{ encoding: string | undefined; body: Buffer }>((resolve) => {
      get(playlistUrl(), { headers: { 'accept-encoding': 'gzip' } }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () =>
          resolve({ encoding: response.headers['content-encoding'], body: Buffer.concat(parts) }),
        );
      });
    });
    expect(zipped.encoding).toBe('gzip');
    expect(gunzipSync(zipped.body).toString()).toMatch(/^#EXTM3U/);
  });

  it('sends the head of an HTTP-FLV response before its media, also behind another response on the connection', async () => {
    const page = await (await fetch(`${sluice.http}/player/live/show`)).text();
    const asset = /src="(\/assets\/[^"]+\.js)"/.exec(page)?.[1] ?? '';
    const { hostname, port } = new URL(sluice.http);
    const socket = connect(Number(port), hostname);
    let received = '';
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1');
    });
    const ask = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
    socket.write(ask(asset) + ask('/live/show.flv'));
    await until('the media came', () => received.includes('FLV\x01'));
    socket.destroy();
    expect(received.startsWith('HTTP/1.1 200')).toBe(true);
    expect(received.slice(0, received.indexOf('FLV\x01'))).toMatch(/Content-Type: video\/x-flv[\s\S]*\r\n\r\n$/);
  });

  it('answers HEAD and preflights, and never keeps an error', async () => {
    const head = await fetch(`${sluice.http}/live/show.flv`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-type')]).toEqual([200, 'video/x-flv']);
    const preflight = await fetch(playlistUrl(), { method: 'OPTIONS' });
    expect([preflight.status, preflight.headers.get('access-control-allow-methods')]).toEqual([
      204,
      'GET, HEAD, OPTIONS',
    ]);
    const missing = await fetch(`${sluice.http}/live/none.m3u8`);
    expect([missing.status, missing.headers.get('cache-control'), missing.headers.get('retry-after')]).toEqual([
      404,
      'no-store',
      '2',
    ]);
    await missing.body?.cancel();
  });

  it('serves pages under a strict policy, and their parts to be kept for good', async () => {
    const page = await fetch(`${sluice.http}/player/live/show`);
    const html = await page.text();
    expect(page.headers.get('content-security-policy')).toMatch(/default-src 'none'; script-src 'self'/);
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    const script = /src="(\/assets\/[^"]+\.js)"/.exec(html)?.[1] ?? '';
    const asset = await fetch(sluice.http + script);
    await asset.body?.cancel();
    expect([asset.status, asset.headers.get('cache-control')]).toEqual([200, 'public, max-age=31536000, immutable']);
    expect(html).not.toMatch(/<script(?![^>]*src=)/);
  });

  it('keeps its list of streams to itself when it is told to', async () => {
    const discreet = await startServer('player: { listStreams: false }');
    const response = await fetch(`${discreet.http}/status/streams`);
    expect([response.status, await response.json()]).toMatchObject([403, { error: { code: 'listing-off' } }]);
    await discreet.stop();
  });

  it('counts HLS viewers, and those of every other protocol', async () => {
    await (await fetch(playlistUrl())).text();
    const status = (await (await fetch(`${sluice.http}/status/streams/live/show`)).json()) as { viewers: number };
    expect(status.viewers).toBeGreaterThanOrEqual(1);
  });
});

describe('TLS', () => {
  let directory: string;
  let sluice: TestServer;
  const files = { cert: '', key: '' };
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-tls-'));
    files.key = join(directory, 'key.pem');
    files.cert = join(directory, 'cert.pem');
    await makeCertificate('first');
    sluice = await startServer(`tls: { certFile: ${files.cert}, keyFile: ${files.key} }`);
  });
  afterAll(async () => {
    await sluice.stop();
    await rm(directory, { recursive: true });
  });

  async function makeCertificate(name: string): Promise<void> {
    const subject = ['-subj', `/CN=${name}`, '-days', '2', '-nodes'];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
    const out = ['-keyout', files.key, '-out', files.cert];
    await promisify(execFile)('openssl', ['req', '-x509', ...curve, ...out, ...subject]);
  }

  /** The name in the certificate that a door shows. */
  function shownBy(port: number | undefined): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connectTls({ port: port ?? 0, host: '127.0.0.1', rejectUnauthorized: false }, () => {
        const { CN } = socket.getPeerCertificate().subject;
        socket.destroy();
        resolve(String(CN));
      });
      socket.on('error', reject);
    });
  }

  it('takes ffmpeg as an encoder over RTMPS, and shows its stream over RTMPS, HTTPS and HTTP', async () => {
    const url = `${sluice.rtmps}/live/show`;
    const encoder = ffmpegPublisher(url, { seconds: 6, bFrames: 0 });
    await until('the stream is live', () => sluice.log.some((line) => line.msg === 'stream is live'));
    for (const place of [url, `${sluice.https}/live/show.flv`, `${sluice.http}/live/show.flv`]) {
      const { streams } = await ffprobe(place, ['-read_intervals', '%+1', '-tls_verify', '0']);
      expect(streams.map((stream) => stream.codec_name).sort(), place).toEqual(['aac', 'h264']);
    }
    encoder.kill('SIGTERM');
    await exited(encoder);
  });

  it('shows a renewed certificate at every door, without a restart', async () => {
    const { rtmps, https, apiTls } = sluice.server.ports;
    const doors = [rtmps, https, apiTls];
    expect(await Promise.all(doors.map(shownBy))).toEqual(['first', 'first', 'first']);
    await makeCertificate('second');
    await sluice.server.reload();
    expect(await Promise.all(doors.map(shownBy))).toEqual(['second', 'second', 'second']);
    await writeFile(files.cert, 'half a certificate');
    await sluice.server.reload();
    expect(await shownBy(https)).toBe('second');
    expect(sluice.log.some(({ msg }) => /old one stays/.test(msg))).toBe(true);
  });
});
