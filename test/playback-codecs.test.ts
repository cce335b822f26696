import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { millis } from '@sluice/media';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ffprobe } from './support/ffmpeg.js';
import {
  cutSource,
  indexRecordings,
  makeOtherSource,
  OTHER_SOURCES,
  recordedFile,
  type SourceStream,
  writeRecording,
} from './support/playback-files.js';
import { startServer, type TestServer } from './support/server.js';

const START = Date.UTC(2026, 10, 21, 10, 0, 0);
const SECONDS = 6;
const KINDS = Object.keys(OTHER_SOURCES) as (keyof typeof OTHER_SOURCES)[];
const pathOf = (kind: string) => `codecs/${kind.replaceAll(' ', '-')}`;

describe('playback of other codecs', () => {
  let sluice: TestServer;
  let data: string;
  const sources = new Map<string, SourceStream>();

  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), 'sluice-codecs-'));
    const rows: ReturnType<typeof recordedFile>[] = [];
    for (const kind of KINDS) {
      const source = await makeOtherSource(kind, SECONDS);
      sources.set(kind, source);
      for (const [number, samples] of cutSource(source, [3]).entries()) {
        const path = pathOf(kind);
        const file = `${path}/${number}.mp4`;
        const { bytes, durationMs } = writeRecording(join(data, 'recordings', file), source.tracks, samples);
        const startedAt = millis(START + number * 3000);
        rows.push(
          recordedFile({ id: `${path.slice(7)}-${number}`, path, file, bytes, duration: durationMs, startedAt }),
        );
      }
    }
    await indexRecordings(data, rows);
    sluice = await startServer('', {}, { dataDirectory: data });
  }, 120_000);
  afterAll(async () => {
    await sluice.stop();
    await rm(data, { recursive: true, force: true });
  });

  it.each(KINDS)('has every frame over two files, as clips and as HLS: %s', async (kind) => {
    const source = sources.get(kind);
    const sent = (what: 'video' | 'audio') => source?.samples.filter((sample) => sample.kind === what).length ?? 0;
    const query = { path: pathOf(kind), start: new Date(START).toISOString(), duration: '60' };
    for (const format of ['mp4', 'fmp4']) {
      const answer = await fetch(`${sluice.http}/get?${new URLSearchParams({ ...query, format })}`);
      expect([answer.status, answer.headers.get('sluice-clip-ends')]).toEqual([200, 'no-more']);
      const file = join(data, `${pathOf(kind).slice(7)}-${format}.mp4`);
      await writeFile(file, Buffer.from(await answer.arrayBuffer()));
      const { packets, warnings } = await ffprobe(file);
      expect(warnings).toBe('');
      const found = (what: string) => packets.filter(({ codec_type }) => codec_type === what).length;
      expect(found('video')).toBe(sent('video'));
      // What is heard before the first picture, of each track.
      expect(sent('audio') - found('audio')).toBeLessThanOrEqual(kind === 'two sounds' ? 12 : 6);
      expect(execFileSync('ffmpeg', ['-v', 'error', '-i', file, '-f', 'null', '-'], { encoding: 'utf8' })).toBe('');
    }
    const playlist = `${sluice.http}/${pathOf(kind)}/recordings.m3u8`;
    const { packets } = await ffprobe(playlist);
    // Of several sounds, HLS has the first.
    const sounds = kind === 'two sounds' ? 2 : 1;
    expect(packets.filter(({ codec_type }) => codec_type === 'video')).toHaveLength(sent('video'));
    expect(packets.filter(({ codec_type }) => codec_type === 'audio')).toHaveLength(sent('audio') / sounds);
  });
});
