import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { millis, type Sample } from '@sluice/media';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeTestCertificate } from './support/certificate.js';
import { ffprobe, type ProbedPacket } from './support/ffmpeg.js';
import { Http2Client } from './support/http2-client.js';
import {
  cutSource,
  indexRecordings,
  makeSource,
  recordedFile,
  type SourceStream,
  writeRecording,
} from './support/playback-files.js';
import { AS_ADMIN, startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';

const START = Date.UTC(2026, 10, 21, 10, 0, 0);
const PATH = 'live/show';
/** More than all buffers on the way hold. */
const LARGE = 64 * 1024 * 1024;
const at = (seconds: number) => new Date(START + seconds * 1000).toISOString();

const videoOf = (packets: readonly ProbedPacket[]) => packets.filter(({ codec_type }) => codec_type === 'video');
const audioOf = (packets: readonly ProbedPacket[]) => packets.filter(({ codec_type }) => codec_type === 'audio');
const sizes = (packets: readonly ProbedPacket[]) => packets.map(({ size }) => Number(size));
const pts = (packets: readonly ProbedPacket[]) => packets.map(({ pts_time }) => Number(pts_time));

describe('playback of recordings', () => {
  let sluice: TestServer;
  let data: string;
  let source: SourceStream;
  let work: string;
  const hashes = new Map<string, string>();

  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), 'sluice-playback-'));
    work = await mkdtemp(join(tmpdir(), 'sluice-clips-'));
    source = await makeSource(24);
    const root = join(data, 'recordings');
    const parts = cutSource(source, [8, 16]);
    const tracks = source.tracks.map(({ kind, codec, codecString }) => ({ kind, codec, codecString }));
    const rows = [];
    for (const [number, samples] of parts.entries()) {
      const file = `live/show/${number}.mp4`;
      const { bytes, durationMs } = writeRecording(join(root, file), source.tracks, samples);
      const sha256 = createHash('sha256')
        .update(await readFile(join(root, file)))
        .digest('hex');
      hashes.set(`f${number}`, sha256);
      const first = samples[0]?.dts ?? 0;
      rows.push(
        recordedFile({
          ...{ id: `f${number}`, path: PATH, file, bytes, duration: durationMs, sha256, tracks },
          startedAt: millis(START + Math.round(first / 1000)),
        }),
      );
    }
    await writeFile(join(root, 'live/show/old.flv'), Buffer.alloc(1000, 7));
    rows.push(
      recordedFile({
        ...{ id: 'old', path: PATH, container: 'flv', file: 'live/show/old.flv', bytes: 1000, duration: 5000 },
        startedAt: millis(START - 3_600_000),
      }),
    );
    await writeFile(join(data, 'secret.mp4'), 'not for you');
    await symlink(join(data, 'secret.mp4'), join(root, 'live/show/link.mp4'));
    rows.push(
      recordedFile({
        ...{ id: 'link', path: 'live/linked', file: 'live/show/link.mp4', bytes: 11, duration: 5000 },
        startedAt: millis(START),
      }),
    );
    const [first = []] = parts;
    const closed = writeRecording(join(root, 'live/closed/k.mp4'), source.tracks, first);
    const row = { id: 'k', path: 'live/closed', file: 'live/closed/k.mp4', startedAt: millis(START) };
    rows.push(recordedFile({ ...row, bytes: closed.bytes, duration: closed.durationMs, tracks }));
    await mkdir(join(root, 'live/large'), { recursive: true });
    await writeFile(join(root, 'live/large/large.ts'), Buffer.alloc(LARGE));
    const large = { id: 'large', path: 'live/large', container: 'ts', file: 'live/large/large.ts' } as const;
    rows.push(recordedFile({ ...large, bytes: LARGE, duration: 5000, startedAt: millis(START) }));
    await indexRecordings(data, rows);
    const { certFile, keyFile } = await makeTestCertificate(work);
    const yaml = `tls: { certFile: ${certFile}, keyFile: ${keyFile} }\npaths: { live/closed: { access: { play: credential } } }`;
    sluice = await startServer(yaml, {}, { dataDirectory: data });
  });
  afterAll(async () => {
    await sluice.stop();
    await rm(data, { recursive: true, force: true });
    await rm(work, { recursive: true, force: true });
  });

  const clipUrl = (start: number, duration: number, format: string) =>
    `${sluice.http}/get?${new URLSearchParams({ path: PATH, start: at(start), duration: String(duration), format })}`;

  /** Fetches a clip, and what ffprobe finds in it. */
  async function clip(start: number, duration: number, format: 'mp4' | 'fmp4') {
    const answer = await fetch(clipUrl(start, duration, format));
    expect(answer.status).toBe(200);
    const bytes = Buffer.from(await answer.arrayBuffer());
    const file = join(work, `clip-${start}-${duration}-${format}.mp4`);
    await writeFile(file, bytes);
    return { answer, bytes, probed: await ffprobe(file) };
  }

  /** The samples of the source from one keyframe on. */
  const sourceVideo = (from: number, to: number): Sample[] =>
    source.samples.filter(({ kind, dts }) => kind === 'video' && dts >= from * 1e6 && dts < to * 1e6);

  it.each(['fmp4', 'mp4'] as const)(
    'clips %s over three files, from the keyframe, with the times of the source',
    async (format) => {
      const { answer, bytes, probed } = await clip(5.5, 14, format);
      expect(probed.warnings).toBe('');
      if (format === 'mp4') expect(Number(answer.headers.get('content-length'))).toBe(bytes.length);
      expect(answer.headers.get('sluice-clip-start')).toBe(at(5));
      expect(answer.headers.get('sluice-clip-ends')).toBe('as-asked');
      const expected = sourceVideo(5, 19.5);
      const video = videoOf(probed.packets);
      expect(sizes(video)).toEqual(expected.map((sample) => sample.data.length));
      const zero = expected[0]?.pts ?? 0;
      const times = pts(video);
      for (const [index, sample] of expected.entries()) {
        expect(times[index]).toBeCloseTo((sample.pts - zero) / 1e6, 3);
      }
      expect(times[0]).toBe(0);
      // Up to where the next picture would be.
      const end = (expected.at(-1)?.dts ?? 0) + 40_000;
      const audio = audioOf(probed.packets);
      const sound = source.samples.filter(({ kind, dts }) => kind === 'audio' && dts >= zero && dts < end);
      expect(sizes(audio)).toEqual(sound.map((sample) => sample.data.length));
      const heard = pts(audio);
      for (const [index, sample] of sound.entries()) {
        expect(Math.abs((heard[index] ?? 0) - (sample.pts - zero) / 1e6)).toBeLessThan(0.002);
      }
    },
  );

  it('decodes clips without a fault', async () => {
    for (const format of ['fmp4', 'mp4'] as const) {
      await clip(5.5, 14, format);
      const { execFileSync } = await import('node:child_process');
      const file = join(work, `clip-5.5-14-${format}.mp4`);
      const said = execFileSync('ffmpeg', ['-v', 'error', '-i', file, '-f', 'null', '-'], { encoding: 'utf8' });
      expect(said).toBe('');
    }
  });

  it('lists what is recorded as MediaMTX does, files that follow each other as one', async () => {
    const answer = await fetch(`${sluice.http}/list?path=${PATH}`);
    const spans = (await answer.json()) as { start: string; duration: number; url: string }[];
    expect(spans).toHaveLength(1);
    expect(spans[0]?.start).toBe(at(0));
    expect(spans[0]?.duration).toBeCloseTo(24, 0);
    const fetched = await fetch(spans[0]?.url ?? '');
    expect([fetched.status, fetched.headers.get('content-type')]).toEqual([200, 'video/mp4']);
    await fetched.body?.cancel();
    const part = await fetch(`${sluice.http}/list?path=${PATH}&start=${at(3)}&end=${at(5)}`);
    expect(await part.json()).toMatchObject([{ start: at(3), duration: 2 }]);
  });

  it('answers ranges as RFC 9110 has it', async () => {
    const url = `${sluice.http}/${PATH}/recordings/f1.mp4`;
    const whole = Buffer.from(await (await fetch(url)).arrayBuffer());
    const etag = `"${hashes.get('f1')}"`;
    const n = whole.length;
    const cases: readonly (readonly [Record<string, string>, number, string | null, Buffer | undefined])[] = [
      [{}, 200, null, whole],
      [{ Range: 'bytes=0-0' }, 206, `bytes 0-0/${n}`, whole.subarray(0, 1)],
      [{ Range: 'bytes=10-29' }, 206, `bytes 10-29/${n}`, whole.subarray(10, 30)],
      [{ Range: `bytes=${n - 5}-` }, 206, `bytes ${n - 5}-${n - 1}/${n}`, whole.subarray(-5)],
      [{ Range: 'bytes=-7' }, 206, `bytes ${n - 7}-${n - 1}/${n}`, whole.subarray(-7)],
      [{ Range: `bytes=0-${n + 100}` }, 206, `bytes 0-${n - 1}/${n}`, whole],
      [{ Range: `bytes=${n}-` }, 416, `bytes */${n}`, undefined],
      [{ Range: 'bytes=-0' }, 416, `bytes */${n}`, undefined],
      [{ Range: 'bytes=5-4' }, 416, `bytes */${n}`, undefined],
      [{ Range: 'lines=1-2' }, 200, null, whole],
      [{ Range: 'bytes=0-1,5-6' }, 200, null, whole],
      [{ Range: 'nonsense' }, 200, null, whole],
      [{ Range: 'bytes=10-29', 'If-Range': etag }, 206, `bytes 10-29/${n}`, whole.subarray(10, 30)],
      [{ Range: 'bytes=10-29', 'If-Range': '"another"' }, 200, null, whole],
      [{ Range: 'bytes=10-29', 'If-Range': `W/${etag}` }, 200, null, whole],
      [{ Range: 'bytes=10-29', 'If-Range': 'Sat, 21 Nov 2026 10:00:00 GMT' }, 200, null, whole],
      [{ 'If-None-Match': etag }, 304, null, undefined],
      [{ 'If-None-Match': `"x", W/${etag}` }, 304, null, undefined],
      [{ 'If-None-Match': '"x"' }, 200, null, whole],
      [{ 'If-Match': '"x"' }, 412, null, undefined],
      [{ 'If-Match': etag, Range: 'bytes=0-1' }, 206, `bytes 0-1/${n}`, whole.subarray(0, 2)],
    ];
    for (const [headers, status, range, bytes] of cases) {
      const answer = await fetch(url, { headers });
      const body = Buffer.from(await answer.arrayBuffer());
      const told = [JSON.stringify(headers), answer.status, answer.headers.get('content-range'), body.length];
      expect(told).toEqual([JSON.stringify(headers), status, range, bytes?.length ?? 0]);
      if (bytes !== undefined) expect(body.equals(bytes)).toBe(true);
    }
    const head = await fetch(url, { method: 'HEAD', headers: { Range: 'bytes=0-1' } });
    expect([head.status, head.headers.get('content-length'), head.headers.get('etag')]).toEqual([200, `${n}`, etag]);
    const part = await fetch(clipUrl(5.5, 14, 'mp4'), { headers: { Range: 'bytes=1000-70000' } });
    const all = Buffer.from(await (await fetch(clipUrl(5.5, 14, 'mp4'))).arrayBuffer());
    expect(Buffer.from(await part.arrayBuffer()).equals(all.subarray(1000, 70001))).toBe(true);
  });

  it('says clearly what can not be had', async () => {
    const status = async (path: string) => {
      const answer = await fetch(`${sluice.http}${path}`);
      const text = await answer.text();
      return [
        answer.status,
        answer.headers.get('content-type')?.startsWith('application/json') ? JSON.parse(text).error.code : text,
      ];
    };
    const get = (query: string) => status(`/get?path=${PATH}&${query}`);
    expect(await get(`start=${at(9000)}&duration=5`)).toEqual([404, 'not-recorded']);
    expect(await get('start=yesterday&duration=5')).toEqual([400, 'bad-time']);
    expect(await get(`start=${at(0)}&duration=-5`)).toEqual([400, 'bad-time']);
    expect(await get(`start=${at(0)}`)).toEqual([400, 'bad-time']);
    expect(await get(`start=${at(0)}&duration=5&format=avi`)).toEqual([400, 'bad-format']);
    expect(await get(`start=${at(-3600)}&duration=5`)).toEqual([422, 'not-possible']);
    expect(await status(`/list?path=live/none`)).toEqual([404, 'not-recorded']);
    expect(await status(`/list?path=none`)).toEqual([400, 'bad-name']);
    expect(await status(`/live/closed/recordings.json`)).toEqual([401, 'credential-missing']);
    expect(await status(`/get?path=live/closed&start=${at(0)}&duration=5`)).toEqual([401, 'credential-missing']);
    expect(await status(`/${PATH}/recordings/old.mp4`)).toEqual([404, 'not-recorded']);
    expect(await status(`/live/other/recordings/f1.mp4`)).toEqual([404, 'not-recorded']);
    expect((await fetch(`${sluice.http}/${PATH}/recordings/old.flv`)).headers.get('content-type')).toBe('video/x-flv');
  });

  it('gives nothing from outside of the recordings', async () => {
    const names = [
      '..%2f..%2fsecret.mp4',
      '%2e%2e%2fsecret.mp4',
      '..',
      '%2e%2e/secret.mp4',
      'f1.mp4%00',
      'f1%2emp4',
      'f1.mp4/..',
    ];
    for (const name of names) {
      const answer = await fetch(`${sluice.http}/${PATH}/recordings/${name}`);
      expect([name, answer.status >= 400 && answer.status < 500]).toEqual([name, true]);
      expect(await answer.text()).not.toContain('not for you');
    }
    for (const path of [`/live/linked/recordings/link.mp4`, `/get?path=live/linked&start=${at(0)}&duration=5`]) {
      const answer = await fetch(`${sluice.http}${path}`);
      const text = await answer.text();
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(text).not.toContain('not for you');
      expect(text).not.toContain(data);
    }
  });

  it('makes pictures of a file, one by one and as a storyboard', async () => {
    const picture = await fetch(`${sluice.http}/${PATH}/recordings/f1.jpg?at=4.2`);
    expect([picture.status, picture.headers.get('content-type')]).toEqual([200, 'image/jpeg']);
    const track = await (await fetch(`${sluice.http}/${PATH}/recordings/f1.storyboard.vtt`)).text();
    expect(track.match(/f1\.storyboard\.jpg#xywh=/g)).toHaveLength(4);
    const file = join(work, 'storyboard.jpg');
    const sprite = await fetch(`${sluice.http}/${PATH}/recordings/f1.storyboard.jpg`);
    await writeFile(file, Buffer.from(await sprite.arrayBuffer()));
    expect((await ffprobe(file)).streams[0]).toMatchObject({ width: 1600, height: 90 });
    expect((await fetch(`${sluice.http}/${PATH}/recordings/f1.jpg?at=soon`)).status).toBe(400);
    expect((await fetch(`${sluice.http}/${PATH}/recordings/old.jpg`)).status).toBe(422);
  });

  const sessions = async () => {
    const answer = await fetch(`${sluice.api}/api/v2/sessions?protocol=recording`, { headers: AS_ADMIN });
    const { sessions: open } = (await answer.json()) as { sessions: { id: string; path: string; sent: number }[] };
    return open.filter(({ path }) => path === 'live/large');
  };

  it('does the same by HTTP/2', async () => {
    const client = await Http2Client.connect(sluice.https);
    for (const format of ['mp4', 'fmp4']) {
      const { pathname, search } = new URL(clipUrl(5.5, 14, format));
      const { status, body } = await client.get(pathname + search);
      const plain = Buffer.from(await (await fetch(clipUrl(5.5, 14, format))).arrayBuffer());
      expect([format, status, body.equals(plain)]).toEqual([format, 200, true]);
    }
    const part = await client.get(`/${PATH}/recordings/f1.mp4`, { range: 'bytes=10-29' });
    expect([part.status, part.body.length]).toEqual([206, 20]);
    const list = await client.get(`/list?path=${PATH}`);
    expect(JSON.parse(list.body.toString())[0].url).toMatch(/^https:/);
    const stream = client.open('/live/large/recordings/large.ts');
    await once(stream, 'data');
    stream.pause();
    await until('it is listed', async () => (await sessions()).length === 1);
    // Who reads nothing has the server read nothing.
    expect((await sessions())[0]?.sent).toBeLessThan(LARGE / 4);
    stream.close();
    await until('it is over', async () => (await sessions()).length === 0);
    client.close();
  });

  it('counts a download as a session, which can be ended, and stops reading when nobody listens', async () => {
    const url = `${sluice.http}/live/large/recordings/large.ts`;
    const answer = await fetch(url);
    const reader = answer.body?.getReader();
    await reader?.read();
    await until('it is listed', async () => (await sessions()).length === 1);
    const [session] = await sessions();
    const ended = await fetch(`${sluice.api}/api/v2/sessions/${session?.id}`, { method: 'DELETE', headers: AS_ADMIN });
    expect(ended.ok).toBe(true);
    const drain = async () => {
      for (;;) if ((await reader?.read())?.done !== false) return;
    };
    await expect(drain()).rejects.toThrow();
    const abort = new AbortController();
    const second = await fetch(url, { signal: abort.signal });
    await second.body?.getReader().read();
    await until('it is listed again', async () => (await sessions()).length === 1);
    abort.abort();
    await until('it is over', async () => (await sessions()).length === 0);
  });

  it('carries the session of a credential on in the URLs of a playlist', async () => {
    const issued = await fetch(`${sluice.api}/api/v2/stream-keys`, {
      method: 'POST',
      headers: AS_ADMIN,
      body: JSON.stringify({ label: 'viewer', action: 'play', path: 'live/closed' }),
    });
    const { key } = (await issued.json()) as { key: string };
    const text = await (await fetch(`${sluice.http}/live/closed/recordings.m3u8?key=${key}`)).text();
    const names = [...text.matchAll(/recordings\/[^"\n]+/g)].map(([name]) => name);
    expect(names.length).toBeGreaterThan(1);
    for (const name of names) {
      expect(name).toMatch(/\?session=[\w-]{22}$/);
      expect((await fetch(`${sluice.http}/live/closed/${name}`)).status).toBe(200);
      const bare = name.replace(/\?.*/, '');
      expect((await fetch(`${sluice.http}/live/closed/${bare}`)).status).toBe(401);
      expect((await fetch(`${sluice.http}/${PATH}/${name}`)).status).toBe(401);
    }
  });
});
