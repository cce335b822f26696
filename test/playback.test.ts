import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { millis, type Sample } from '@sluice/media';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ffprobe, type ProbedPacket } from './support/ffmpeg.js';
import {
  cutSource,
  indexRecordings,
  makeSource,
  recordedFile,
  type SourceStream,
  writeRecording,
} from './support/playback-files.js';
import { startServer, type TestServer } from './support/server.js';

const START = Date.UTC(2026, 10, 21, 10, 0, 0);
const PATH = 'live/show';
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
    await indexRecordings(data, rows);
    const yaml = 'paths: { live/closed: { access: { play: credential } } }';
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
    expect(await get(`start=${at(0)}&duration=5&format=avi`)).toEqual([400, 'bad-time']);
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
});
