import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ffmpeg, ffprobe, testPicture, testSound } from '../../../../test/support/ffmpeg.js';
import { parseVp9FrameHeader } from '../codecs/vp9.js';
import { FlvDemuxer } from '../flv/demuxer.js';
import { TsDemuxer } from '../mpegts/demuxer.js';
import type { Sample } from '../sample.js';
import { micros, millis } from '../time.js';
import type { TrackConfig } from '../track-config.js';
import { CbcsEncryptor } from './encryption/cbcs-encryptor.js';
import { EVENT_SCHEME } from './event-message.js';
import { writeFragment } from './fragment.js';
import { FragmentWriter } from './fragment-writer.js';
import { type InitTrackOptions, writeInitSegment } from './init-segment.js';
import { Fmp4Reader } from './reading/fmp4-reader.js';
import { readMp4 } from './reading/mp4-file.js';
import { ticksFromMicros, timescaleOf } from './track-time.js';

interface Media {
  readonly configs: readonly TrackConfig[];
  readonly samples: readonly Sample[];
}

interface Event {
  readonly type: string;
}

const run = promisify(execFile);
const KEY = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
const IV = Buffer.from('f0e0d0c0b0a090807060504030201000', 'hex');
const KEY_ID = Buffer.from('a1a2a3a4a5a6a7a8a9aaabacadaeafb0', 'hex');
const SECRET = { key: KEY, iv: IV, keyId: KEY_ID };
const PART = 200_000;

const X264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-pix_fmt', 'yuv420p'];
const X264_B = ['-c:v', 'libx264', '-preset', 'veryfast', '-g', '25', '-bf', '3', '-pix_fmt', 'yuv420p'];
const x265 = (params: string, preset = 'ultrafast') => [
  ...['-c:v', 'libx265', '-preset', preset, '-pix_fmt', 'yuv420p'],
  ...['-x265-params', `log-level=error:keyint=25:min-keyint=25:${params}`],
];
const AAC = ['-c:a', 'aac'];

const mediaOf = (events: readonly Event[]): Media => {
  const typed = events as readonly ({ type: 'config'; config: TrackConfig } | { type: 'sample'; sample: Sample })[];
  return {
    configs: typed.flatMap((event) => (event.type === 'config' ? [event.config] : [])),
    samples: typed.flatMap((event) => (event.type === 'sample' ? [event.sample] : [])),
  };
};

function demux(bytes: Buffer, format: 'flv' | 'mpegts' | 'mp4'): Media {
  if (format === 'flv') return mediaOf(new FlvDemuxer().push(bytes));
  if (format === 'mp4') return mediaOf(readMp4(bytes));
  const demuxer = new TsDemuxer();
  return mediaOf([...demuxer.push(bytes), ...demuxer.flush()]);
}

/** As a packager does it: parts of 200 ms of all tracks, cut by the clock of the samples. */
function packageMedia(
  { configs, samples }: Media,
  options: { tracks?: ReadonlyMap<number, InitTrackOptions>; secret?: typeof SECRET; extras?: boolean } = {},
): Buffer {
  const { tracks, secret, extras } = options;
  const writers = configs.map((config) => ({
    writer: new FragmentWriter(config),
    encryptor: secret === undefined ? undefined : new CbcsEncryptor(config, secret),
    config,
  }));
  const init = writeInitSegment(configs, {
    ...(tracks === undefined ? {} : { tracks }),
    ...(secret === undefined ? {} : { protection: secret }),
  });
  const pieces: Buffer[] = [init];
  let sequence = 0;
  const cut = (isLast: boolean) => {
    const runs = writers.flatMap(({ writer, encryptor }) => {
      const taken = isLast ? writer.finish() : writer.take();
      return taken === undefined ? [] : [encryptor?.encrypt(taken) ?? taken];
    });
    if (runs.length === 0) return;
    sequence += 1;
    const event = { scheme: EVENT_SCHEME.id3, time: micros(1_000_000), id: sequence, data: Buffer.from('ID3') };
    const fragment = writeFragment(runs, {
      sequence,
      ...(extras ? { begins: 'chunk', wallClock: millis(1_700_000_000_123), events: [event] } : {}),
    });
    expect(fragment.pieces.reduce((total, piece) => total + piece.length, 0)).toBe(fragment.length);
    pieces.push(...fragment.pieces);
  };
  let start = samples[0]!.dts;
  for (const sample of samples) {
    if (sample.dts - start >= PART) {
      cut(false);
      start = sample.dts;
    }
    writers.find(({ config }) => config.track === sample.track)?.writer.push(sample);
  }
  cut(true);
  return Buffer.concat(pieces);
}

describe('CMAF and ffmpeg', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-cmaf-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  const make = async (args: readonly string[], format: 'flv' | 'mpegts' | 'mp4', seconds = 2): Promise<string> => {
    const path = join(directory, `made.${format}`);
    await ffmpeg([...testPicture({ seconds }), ...testSound(seconds), ...args, '-f', format, path]);
    return path;
  };
  const write = async (bytes: Buffer, name = 'ours.mp4'): Promise<string> => {
    const path = join(directory, name);
    await writeFile(path, bytes);
    return path;
  };
  /** Hashes of what is decoded, without times; ffmpeg may not say a word. */
  const decoded = async (path: string, kind: 'v' | 'a', args: readonly string[] = []): Promise<string[]> => {
    const input = ['-v', 'error', '-xerror', '-err_detect', 'explode', ...args, '-i', path];
    const { stdout, stderr } = await run('ffmpeg', [...input, '-map', `0:${kind}:0`, '-f', 'framemd5', '-'], {
      maxBuffer: 64 * 1024 * 1024,
    });
    expect(stderr).toBe('');
    const lines = stdout.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return lines.map((line) => line.split(',').at(-1)!.trim());
  };
  const expectListed = async (path: string, { configs, samples }: Media) => {
    const probed = await ffprobe(path);
    expect(probed.warnings).toBe('');
    for (const [index, config] of configs.entries()) {
      const own = samples.filter(({ track }) => track === config.track);
      const listed = probed.packets.filter((packet) => packet.stream_index === index);
      expect(listed.map(({ size }) => Number(size))).toEqual(own.map(({ data }) => data.length));
      expect(listed.map(({ flags }) => flags.startsWith('K'))).toEqual(own.map(({ keyframe }) => keyframe));
      const tolerance = config.kind === 'video' ? 12 : 2_012;
      for (const [at, packet] of listed.entries()) {
        expect(Math.abs(Number(packet.dts_time) * 1_000_000 - own[at]!.dts)).toBeLessThan(tolerance);
        expect(Math.abs(Number(packet.pts_time) * 1_000_000 - own[at]!.pts)).toBeLessThan(tolerance);
      }
    }
    return probed;
  };

  it.each<[string, readonly string[], 'flv' | 'mpegts' | 'mp4']>([
    ['H.264 and AAC from FLV', [...X264, ...AAC], 'flv'],
    ['H.264 with B-frames and AAC from MPEG-TS', [...X264_B, ...AAC], 'mpegts'],
    ['H.264 interlaced', ['-c:v', 'libx264', '-flags', '+ilme+ildct', '-x264-params', 'interlaced=1', ...AAC], 'flv'],
    ['H.264 and MP3', [...X264, '-c:a', 'libmp3lame', '-ar', '44100'], 'flv'],
    ['MP3 of MPEG-2', [...X264, '-c:a', 'libmp3lame', '-ar', '22050'], 'mp4'],
    ['AAC of 44.1 kHz from milliseconds', [...X264, ...AAC, '-ar', '44100', '-ac', '2'], 'flv'],
    ['AAC of 96 kHz', [...X264, ...AAC, '-ar', '96000'], 'mpegts'],
    ['HEVC with B-frames and AAC', [...x265('bframes=3'), ...AAC], 'mpegts'],
    ['HEVC and Opus', [...x265('bframes=0'), '-c:a', 'libopus', '-ac', '2'], 'mpegts'],
    ['Opus in 5.1', [...X264, '-c:a', 'libopus', '-ac', '6'], 'mp4'],
    ['AV1 and Opus', ['-c:v', 'libaom-av1', '-cpu-used', '8', '-row-mt', '1', '-c:a', 'libopus'], 'mp4'],
    ['VP9 and AAC', ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', ...AAC], 'mp4'],
    ['video only', ['-map', '0:v', ...X264], 'flv'],
    ['audio only', ['-map', '1:a', ...AAC], 'flv'],
  ])('is read and decoded as its source: %s', async (_, args, format) => {
    const source = await make(args, format);
    // Times without edits: those of ffmpeg's own files begin before 0.
    const media = demux(await readFile(source), format);
    const first = Math.min(...media.samples.map(({ dts }) => dts));
    const shift = Math.max(0, -first);
    const samples = media.samples.map((sample) => ({
      ...sample,
      dts: micros(sample.dts + shift),
      pts: micros(sample.pts + shift),
    }));
    const moved = { ...media, samples };
    const path = await write(packageMedia(moved, { extras: true }));
    const { streams } = await expectListed(path, moved);
    for (const [index, config] of media.configs.entries()) {
      const { codec_name, sample_rate } = streams[index]!;
      expect(codec_name).toBe(config.codec);
      if (config.kind === 'audio') expect(sample_rate).toBe(String(config.sampleRate));
      const kind = config.kind === 'video' ? 'v' : 'a';
      const ours = await decoded(path, kind);
      const theirs = await decoded(source, kind, ['-ignore_editlist', '1'].slice(0, format === 'mp4' ? 2 : 0));
      // Opus: what is skipped at the start is told by both, in MPEG-TS by nobody.
      if (config.codec !== 'opus') expect(ours).toEqual(theirs);
      else expect(ours.length).toBeGreaterThanOrEqual(theirs.length - 1);
    }
    const again = mediaOf(new Fmp4Reader().push(await readFile(path)));
    expect(again.configs).toEqual(media.configs);
    expect(again.samples.filter((s) => s.kind === 'video').map((s) => s.data)).toEqual(
      samples.filter((s) => s.kind === 'video').map((s) => s.data),
    );
  });
});
