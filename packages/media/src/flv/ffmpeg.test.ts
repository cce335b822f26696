import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ffmpeg, ffprobe, testPicture, testSound } from '../../../../test/support/ffmpeg.js';
import { MediaError } from '../errors.js';
import type { MediaEvent, Sample } from '../sample.js';
import type { TrackConfig } from '../track-config.js';
import { FlvDemuxer } from './demuxer.js';
import { FlvMuxer } from './muxer.js';

const samplesOf = (events: readonly MediaEvent[]): Sample[] =>
  events.flatMap((event) => (event.type === 'sample' ? [event.sample] : []));
const configsOf = (events: readonly MediaEvent[]): TrackConfig[] =>
  events.flatMap((event) => (event.type === 'config' ? [event.config] : []));

describe('FLV files of the ffmpeg at hand', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-flv-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  const make = async (codecs: readonly string[]): Promise<string> => {
    const path = join(directory, 'made.flv');
    await ffmpeg([...testPicture({ seconds: 2 }), ...testSound(2), ...codecs, '-f', 'flv', path]);
    return path;
  };
  const probe = async (path: string) => {
    const { packets, warnings } = await ffprobe(path);
    expect(warnings).toBe('');
    return packets.map((packet) => ({
      kind: packet.codec_type,
      dts: Math.round(Number(packet.dts_time) * 1000),
      pts: Math.round(Number(packet.pts_time) * 1000),
      keyframe: packet.flags.startsWith('K'),
      size: Number(packet.size),
    }));
  };
  const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25'];

  it.each([
    ['h264 and aac', [...x264, '-c:a', 'aac'], ['avc1.42c00c', 'mp4a.40.2']],
    ['h264 with B-frames', [...x264, '-bf', '3', '-c:a', 'aac'], ['avc1.4d400c', 'mp4a.40.2']],
    ['h264 and mp3', [...x264, '-c:a', 'libmp3lame', '-ar', '44100'], ['avc1.42c00c', 'mp3']],
    ['audio only', ['-map', '1:a', '-c:a', 'aac'], ['mp4a.40.2']],
  ])('are read as ffprobe lists them, and written so that ffprobe lists the same: %s', async (_, codecs, names) => {
    const path = await make(codecs);
    const listed = await probe(path);
    const events = new FlvDemuxer().push(await readFile(path));
    const samples = samplesOf(events);
    const configs = configsOf(events);
    expect(configs.map((config) => config.codecString)).toEqual(names);
    expect(
      samples.map(({ kind, dts, pts, keyframe, data }) => ({
        kind,
        dts: dts / 1000,
        pts: pts / 1000,
        keyframe,
        size: data.length,
      })),
    ).toEqual(listed);

    const muxer = new FlvMuxer(configs);
    const copy = join(directory, 'copy.flv');
    await writeFile(copy, Buffer.concat([muxer.header(), ...samples.map((sample) => muxer.sample(sample))]));
    expect(await probe(copy)).toEqual(listed);
  });

  it('throw nothing but MediaError when they are damaged', async () => {
    const original = (await readFile(await make([...x264, '-c:a', 'aac']))).subarray(0, 20_000);
    const mutation = fc.tuple(fc.nat(original.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 8 }), (mutations) => {
        const bytes = Buffer.from(original);
        for (const [at, value] of mutations) bytes[at] = value;
        try {
          new FlvDemuxer().push(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(MediaError);
        }
      }),
      { numRuns: 300 },
    );
  });
});

/**
 * The files in `fixtures` are from FFmpeg 8.1 (libavformat 62.12), the lists beside them what its own demuxer reads
 * from them: stream, kind, dts, pts (ms), K for keyframes, size, MD5.
 */
describe('Enhanced RTMP of FFmpeg 8', () => {
  const fixture = (name: string) => readFileSync(new URL(`./fixtures/${name}`, import.meta.url));

  it.each([
    ['hevc-opus', [0, 1], ['hvc1.1.6.L30.90', 'opus']],
    ['vp9-aac', [0, 1], ['vp09.00.10.08', 'mp4a.40.2']],
    ['av1-opus', [0, 1], ['av01.0.00M.08', 'opus']],
    ['multitrack', [0, 2, 1, 3], ['avc1.4d400a', 'hvc1.1.6.L30.90', 'mp4a.40.2', 'opus']],
  ])('is read as FFmpeg reads it: %s', (name, tracks, names) => {
    const events = new FlvDemuxer().push(fixture(`${name}.flv`));
    const configs = configsOf(events);
    expect(configs.map((config) => config.track)).toEqual(tracks);
    expect(configs.map((config) => config.codecString)).toEqual(names);
    const av1 = configs.find((config) => config.codec === 'av1')?.track;
    const lines = samplesOf(events).map((sample) => {
      const { track, kind, dts, pts, keyframe } = sample;
      // FFmpeg leaves temporal delimiters in; samples are without.
      const data = track === av1 ? Buffer.concat([Buffer.from([0x12, 0x00]), sample.data]) : sample.data;
      const hash = createHash('md5').update(data).digest('hex');
      return [tracks.indexOf(track), kind, dts / 1000, pts / 1000, keyframe ? 'K' : '-', data.length, hash].join(' ');
    });
    expect(lines).toEqual(fixture(`${name}.txt`).toString().trim().split('\n'));
  });

  it('is the same wherever the bytes are cut', () => {
    const bytes = fixture('multitrack.flv');
    const whole = new FlvDemuxer().push(bytes);
    for (const size of [1, 7, 188, 1460]) {
      const demuxer = new FlvDemuxer();
      const events: MediaEvent[] = [];
      for (let at = 0; at < bytes.length; at += size) events.push(...demuxer.push(bytes.subarray(at, at + size)));
      expect(events).toEqual(whole);
    }
  });

  it('throws nothing but MediaError when it is damaged', () => {
    const original = fixture('multitrack.flv');
    const mutation = fc.tuple(fc.nat(original.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 12 }), (mutations) => {
        const bytes = Buffer.from(original);
        for (const [at, value] of mutations) bytes[at] = value;
        try {
          new FlvDemuxer().push(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(MediaError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
