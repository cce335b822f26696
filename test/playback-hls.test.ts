import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { millis, type Sample } from '@sluice/media';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeClip } from './support/clip.js';
import { ffprobe, type ProbedPacket } from './support/ffmpeg.js';
import { validateLive } from './support/hls-validator/validate-live.js';
import {
  cutSource,
  indexRecordings,
  makeSource,
  recordedFile,
  type SourceStream,
  writeRecording,
} from './support/playback-files.js';
import { ClipPublisher } from './support/publisher.js';
import { startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';

const START = Date.UTC(2026, 10, 21, 10, 0, 0);
const at = (seconds: number) => new Date(START + seconds * 1000).toISOString();
const ofKind = (packets: readonly ProbedPacket[], kind: string) =>
  packets.filter(({ codec_type }) => codec_type === kind).map(({ size }) => Number(size));
const segmentsOf = (playlist: string) => [...playlist.matchAll(/^recordings\/.+$/gm)].map(([name]) => name);

describe('HLS of recordings', () => {
  let sluice: TestServer;
  let data: string;
  let source: SourceStream;

  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), 'sluice-vod-'));
    source = await makeSource(24);
    const other = await makeSource(8, '160x90');
    const rows: ReturnType<typeof recordedFile>[] = [];
    const write = (
      id: string,
      stream: SourceStream,
      samples: readonly Sample[],
      row: { path: string; live: number; gaps?: { at: number; missing: number; reason: 'encoder-away' }[] },
    ) => {
      const file = `${row.path}/${id}.mp4`;
      const { bytes, durationMs } = writeRecording(join(data, 'recordings', file), stream.tracks, samples);
      const tracks = stream.tracks.map(({ kind, codec, codecString }) => ({ kind, codec, codecString }));
      const startedAt = millis(START + row.live * 1000);
      const { path, gaps = [] } = row;
      rows.push(recordedFile({ id, path, file, bytes, duration: durationMs, tracks, startedAt, gaps }));
    };
    const [a = [], b = [], c = []] = cutSource(source, [8, 16]);
    write('a', source, a, { path: 'live/whole', live: 0 });
    write('b', source, b, { path: 'live/whole', live: 8 });
    write('c', source, c, { path: 'live/whole', live: 16 });
    write('d', source, a, {
      path: 'live/holes',
      live: 0,
      gaps: [{ at: 3000, missing: 60_000, reason: 'encoder-away' }],
    });
    write('e', source, b, { path: 'live/holes', live: 100 });
    write('f', other, other.samples, { path: 'live/holes', live: 108 });
    await indexRecordings(data, rows);
    const yaml = `
paths:
  live/now: { recording: { enabled: true, flushSeconds: 1 } }
  live/closed: { access: { play: credential } }`;
    sluice = await startServer(yaml, {}, { dataDirectory: data });
  });
  afterAll(async () => {
    await sluice.stop();
    await rm(data, { recursive: true, force: true });
  });

  const playlistUrl = (path: string, query = '') => `${sluice.http}/${path}/recordings.m3u8${query}`;

  it.each(['live/whole', 'live/holes'])('keeps the rules of HLS: %s', async (path) => {
    const findings = await validateLive(playlistUrl(path), { seconds: 20 });
    const faults = findings.filter(({ level }) => level === 'must');
    expect(faults.map(({ rule, detail }) => `${rule}: ${detail}`)).toEqual([]);
  });

  it('has every frame of three files, as one timeline', async () => {
    const text = await (await fetch(playlistUrl('live/whole'))).text();
    expect(text).toContain('#EXT-X-PLAYLIST-TYPE:VOD');
    expect(text).toContain('#EXT-X-ENDLIST');
    expect(text).not.toContain('DISCONTINUITY');
    expect(text.match(/EXT-X-MAP/g)).toHaveLength(1);
    const { packets, warnings } = await ffprobe(playlistUrl('live/whole'));
    expect(warnings).toBe('');
    for (const kind of ['video', 'audio'] as const) {
      const sent = source.samples.filter((sample) => sample.kind === kind);
      expect(ofKind(packets, kind)).toEqual(sent.map(({ data: bytes }) => bytes.length));
    }
    const times = packets.filter(({ codec_type }) => codec_type === 'video').map(({ pts_time }) => Number(pts_time));
    const sorted = [...times].sort((x, y) => x - y);
    for (const [index, time] of sorted.entries()) {
      if (index > 0) expect(time - (sorted[index - 1] ?? 0)).toBeCloseTo(0.04, 3);
    }
  });

  it('plays a part, from the keyframe on', async () => {
    const query = `?start=${at(9.5)}&duration=3`;
    const text = await (await fetch(playlistUrl('live/whole', query))).text();
    expect(/PROGRAM-DATE-TIME:(.+)/.exec(text)?.[1]).toBe(at(9));
    const { packets } = await ffprobe(playlistUrl('live/whole', query));
    const sent = source.samples.filter(({ kind, dts }) => kind === 'video' && dts >= 9e6 && dts < 12.5e6);
    expect(ofKind(packets, 'video')).toEqual(sent.map(({ data: bytes }) => bytes.length));
  });

  it('tells of missing time by dates, and of other codecs by an init segment of their own', async () => {
    const text = await (await fetch(playlistUrl('live/holes'))).text();
    expect(text.match(/#EXT-X-DISCONTINUITY$/gm)).toHaveLength(3);
    expect(text.match(/EXT-X-MAP/g)).toHaveLength(2);
    const dates = [...text.matchAll(/PROGRAM-DATE-TIME:(.+)/g)].map(([, date]) => date);
    expect(dates).toEqual([at(0), at(63), at(100), at(106), at(108), at(114)]);
  });

  it('ends clips where other codecs begin, and tells what is missing in them', async () => {
    const get = async (start: number, duration: number) => {
      const query = { path: 'live/holes', start: at(start), duration: String(duration), format: 'mp4' };
      const { status, headers } = await fetch(`${sluice.http}/get?${new URLSearchParams(query)}`);
      const told = ['start', 'duration', 'missing', 'ends'].map((name) => headers.get(`sluice-clip-${name}`));
      return [status, ...told];
    };
    expect(await get(0, 102)).toEqual([200, at(0), '10', '92', 'as-asked']);
    expect(await get(104, 8)).toEqual([200, at(104), '4', '0', 'codec-change']);
    expect(await get(108, 60)).toEqual([200, at(108), '8', '0', 'no-more']);
    // In a hole, what comes after it is first.
    expect(await get(20, 45)).toEqual([200, at(63), '2', '0', 'as-asked']);
  });

  it('gives segments in ranges, and only those that are there', async () => {
    const text = await (await fetch(playlistUrl('live/whole'))).text();
    const [first = ''] = segmentsOf(text);
    const url = `${sluice.http}/live/whole/${first}`;
    const whole = Buffer.from(await (await fetch(url)).arrayBuffer());
    const part = await fetch(url, { headers: { Range: 'bytes=100-299' } });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 100-299/${whole.length}`]);
    expect(Buffer.from(await part.arrayBuffer()).equals(whole.subarray(100, 300))).toBe(true);
    for (const wrong of ['a.0.999999.0.m4s', 'a.5.5.0.m4s', 'x.0.5.0.m4s', 'a.0.5.n999999999.m4s', 'd.0.5.0.m4s']) {
      expect([wrong, (await fetch(`${sluice.http}/live/whole/recordings/${wrong}`)).status]).toEqual([wrong, 404]);
    }
    expect((await fetch(playlistUrl('live/closed'))).status).toBe(401);
    expect((await fetch(playlistUrl('live/whole', `?start=${at(0)}&end=${at(200_000)}`))).status).toBe(422);
  });

  it('plays what is still being recorded, and does not change what it has told', async () => {
    const clip = await makeClip('h264', 4);
    const publisher = await ClipPublisher.start(`${sluice.rtmp}/live/now`, clip, { loop: true });
    const url = playlistUrl('live/now', `?start=${new Date(Date.now() - 60_000).toISOString()}`);
    let growing = '';
    const grows = async () => {
      const answer = await fetch(url);
      growing = answer.ok ? await answer.text() : '';
      return segmentsOf(growing).length >= 1;
    };
    await until('a segment is there', grows, 40_000);
    expect(growing).toContain('#EXT-X-PLAYLIST-TYPE:EVENT');
    const begin = /PROGRAM-DATE-TIME:(.+)/.exec(growing)?.[1] ?? '';
    const early = await fetch(`${sluice.http}/get?path=live/now&start=${begin}&duration=3&format=mp4`);
    expect([early.status, early.headers.get('sluice-clip-ends')]).toEqual([200, 'as-asked']);
    const [name = ''] = segmentsOf(growing);
    const before = Buffer.from(await (await fetch(`${sluice.http}/live/now/${name}`)).arrayBuffer());
    await publisher.stop();
    let finished = '';
    const ends = async () => {
      finished = await (await fetch(url)).text();
      return finished.includes('#EXT-X-ENDLIST');
    };
    await until('the file is finished', ends, 30_000);
    expect(segmentsOf(finished).slice(0, segmentsOf(growing).length)).toEqual(segmentsOf(growing));
    const after = Buffer.from(await (await fetch(`${sluice.http}/live/now/${name}`)).arrayBuffer());
    expect(after.equals(before)).toBe(true);
    const { warnings } = await ffprobe(url);
    expect(warnings).toBe('');
  });
});
