import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ffmpeg, ffprobe, testPicture, testSound } from '../../../../test/support/ffmpeg.js';
import { parseVp9FrameHeader } from '../codecs/vp9.js';
import { micros } from '../time.js';
import { Fmp4Reader } from './reading/fmp4-reader.js';
import { readMp4 } from './reading/mp4-file.js';
import {
  decoded,
  demux,
  fromZero,
  type Media,
  mediaOf,
  moved,
  type PackageOptions,
  packaged,
  type SourceFormat,
} from './testing/packaged.js';

const X264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-pix_fmt', 'yuv420p'];
const X264_B = ['-c:v', 'libx264', '-preset', 'veryfast', '-g', '25', '-bf', '3', '-pix_fmt', 'yuv420p'];
const INTERLACED = ['-c:v', 'libx264', '-flags', '+ilme+ildct', '-x264-params', 'interlaced=1'];
const x265 = (bframes: number) => [
  ...['-c:v', 'libx265', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'],
  ...['-x265-params', `log-level=error:keyint=25:min-keyint=25:bframes=${bframes}`],
];
const AV1 = ['-c:v', 'libsvtav1', '-preset', '12'];
const VP9 = ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8'];
const AAC = ['-c:a', 'aac'];

describe('CMAF and ffmpeg', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-cmaf-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  const make = async (args: readonly string[], format: SourceFormat): Promise<string> => {
    const path = join(directory, `made.${format}`);
    await ffmpeg([...testPicture({ seconds: 2 }), ...testSound(2), ...args, '-f', format, path]);
    return path;
  };
  const write = async (media: Media, options: PackageOptions = {}): Promise<string> => {
    const path = join(directory, 'ours.mp4');
    await writeFile(path, Buffer.concat(packaged(media, options)));
    return path;
  };
  const source = async (args: readonly string[], format: SourceFormat): Promise<Media> =>
    fromZero(demux(await readFile(await make(args, format)), format));

  /** Each packet as ffprobe lists it, against the sample that it was. */
  const expectListed = async (path: string, { configs, samples }: Media) => {
    const probed = await ffprobe(path);
    expect(probed.warnings).toBe('');
    for (const [index, config] of configs.entries()) {
      const own = samples.filter(({ track }) => track === config.track);
      const listed = probed.packets.filter((packet) => packet.stream_index === index);
      expect(listed.map(({ size }) => Number(size))).toEqual(own.map(({ data }) => data.length));
      expect(listed.map(({ flags }) => flags.startsWith('K'))).toEqual(own.map(({ keyframe }) => keyframe));
      // Half a tick of 90 kHz and ffprobe's six digits; sound is joined.
      const tolerance = config.kind === 'video' ? 7 : 2_007;
      for (const [at, packet] of listed.entries()) {
        expect(Math.abs(Number(packet.dts_time) * 1_000_000 - own[at]!.dts)).toBeLessThan(tolerance);
        expect(Math.abs(Number(packet.pts_time) * 1_000_000 - own[at]!.pts)).toBeLessThan(tolerance);
      }
    }
    return probed;
  };

  it.each<[string, readonly string[], SourceFormat, string[]]>([
    ['H.264 and AAC from FLV', [...X264, ...AAC], 'flv', ['avc1', 'mp4a']],
    ['H.264 with B-frames and AAC from MPEG-TS', [...X264_B, ...AAC], 'mpegts', ['avc1', 'mp4a']],
    ['H.264 interlaced', [...INTERLACED, ...AAC], 'flv', ['avc1', 'mp4a']],
    ['H.264 and MP3', [...X264, '-c:a', 'libmp3lame', '-ar', '44100'], 'flv', ['avc1', 'mp4a']],
    ['MP3 of MPEG-2', [...X264, '-c:a', 'libmp3lame', '-ar', '22050', '-ac', '2'], 'mp4', ['avc1', 'mp4a']],
    ['AAC of 44.1 kHz from milliseconds', [...X264, ...AAC, '-ar', '44100', '-ac', '2'], 'flv', ['avc1', 'mp4a']],
    ['AAC of 96 kHz', [...X264, ...AAC, '-ar', '96000'], 'mpegts', ['avc1', 'mp4a']],
    ['HEVC with B-frames and AAC', [...x265(3), ...AAC], 'mpegts', ['hvc1', 'mp4a']],
    ['HEVC and Opus', [...x265(0), '-c:a', 'libopus', '-ac', '2'], 'mpegts', ['hvc1', 'Opus']],
    ['Opus in 5.1', [...X264, '-c:a', 'libopus', '-ac', '6'], 'mp4', ['avc1', 'Opus']],
    ['AV1 and Opus', [...AV1, '-c:a', 'libopus'], 'mp4', ['av01', 'Opus']],
    ['VP9 and AAC', [...VP9, ...AAC], 'mp4', ['vp09', 'mp4a']],
    ['video only', ['-map', '0:v', ...X264], 'flv', ['avc1']],
    ['audio only', ['-map', '1:a', ...AAC], 'flv', ['mp4a']],
  ])('is listed and decoded as its source: %s', async (_, args, format, entries) => {
    const made = await make(args, format);
    const media = fromZero(demux(await readFile(made), format));
    const path = await write(media, { extras: true });
    const { streams } = await expectListed(path, media);
    expect(streams).toMatchObject(entries.map((codec_tag_string) => ({ codec_tag_string })));
    for (const [index, config] of media.configs.entries()) {
      expect(streams[index]?.codec_name).toBe(config.codec);
      const isSound = config.kind === 'audio';
      const { sample_rate, channels, width, height } = streams[index]!;
      if (isSound) expect([sample_rate, channels]).toEqual([String(config.sampleRate), config.channels]);
      else expect([width, height]).toEqual([config.width, config.height]);
      const raw = format === 'mp4' ? ['-ignore_editlist', '1'] : [];
      const hashes = [await decoded(path, isSound ? 'a' : 'v'), await decoded(made, isSound ? 'a' : 'v', raw)];
      // How much of the first Opus packet is to be skipped is told by MP4, and not by MPEG-TS.
      const unlike = config.codec === 'opus' && format === 'mpegts' ? 1 : 0;
      expect(hashes[0]?.slice(unlike)).toEqual(hashes[1]?.slice(unlike));
      expect(hashes[0]?.length).toBeGreaterThan(45);
    }
    const again = mediaOf(new Fmp4Reader().push(await readFile(path)));
    expect(again.configs).toEqual(media.configs);
    for (const { track } of media.configs) {
      const data = (of: Media) => of.samples.filter((sample) => sample.track === track).map((sample) => sample.data);
      expect(data(again)).toEqual(data(media));
    }
  });

  it.each(['hevc-opus', 'vp9-aac', 'av1-opus', 'multitrack'])('takes Enhanced RTMP of FFmpeg 8: %s', async (name) => {
    const bytes = readFileSync(new URL(`../flv/fixtures/${name}.flv`, import.meta.url));
    const media = demux(bytes, 'flv');
    const vp9 = media.configs.find(({ codec }) => codec === 'vp9')?.track;
    const keyframe = media.samples.find(({ track }) => track === vp9)?.data ?? Buffer.alloc(0);
    const size = vp9 === undefined ? undefined : parseVp9FrameHeader(keyframe).size;
    const tracks = size === undefined ? undefined : new Map([[vp9 ?? 0, { size }]]);
    const path = await write(media, tracks === undefined ? {} : { tracks });
    const { streams } = await expectListed(path, media);
    expect(streams.map(({ codec_name }) => codec_name)).toEqual(media.configs.map(({ codec }) => codec));
    if (size !== undefined) expect(streams[0]).toMatchObject(size);
    await decoded(path, 'v');
    await decoded(path, 'a');
  });

  it('tells languages, names, bit rates, the shape of pixels and colours', async () => {
    const colours = 'colorprim=bt709:transfer=bt709:colormatrix=smpte170m:range=tv';
    const encode = [...X264, '-x264-params', colours, '-vf', 'setsar=4/3'];
    const media = await source([...encode, ...AAC], 'flv');
    const path = await write(media, {
      tracks: new Map([
        [0, { bitrate: 2_500_000, name: 'Stage' }],
        [1, { language: 'deu', bitrate: 128_000 }],
      ]),
    });
    const { streams } = await ffprobe(path);
    expect(streams[0]).toMatchObject({
      sample_aspect_ratio: '4:3',
      color_primaries: 'bt709',
      color_transfer: 'bt709',
      color_space: 'smpte170m',
      color_range: 'tv',
      tags: { handler_name: 'Stage', language: 'und' },
    });
    expect(streams[1]).toMatchObject({ tags: { language: 'deu' } });
    const hevc = ['-c:v', 'libx265', '-x265-params', 'log-level=error:colorprim=9:transfer=16:colormatrix=9:sar=4'];
    const wide = await ffprobe(await write(await source([...hevc, ...AAC], 'mpegts')));
    expect(wide.streams[0]).toMatchObject({ sample_aspect_ratio: '16:11', color_primaries: 'bt2020' });
  });

  it('keeps times beyond 32 bits of 90 kHz, and those of today in µs since 1970', async () => {
    const media = await source([...X264_B, ...AAC], 'flv');
    for (const start of [47_721_800_000, 1_770_000_000_123_456]) {
      const later = moved(media, micros(start));
      const path = await write(later);
      const { packets } = await ffprobe(path);
      const own = later.samples.filter(({ kind }) => kind === 'video');
      const listed = packets.filter(({ codec_type }) => codec_type === 'video');
      expect(Math.abs(Number(listed[0]?.dts_time) - own[0]!.dts / 1_000_000)).toBeLessThan(0.000_01);
      const again = mediaOf(readMp4(await readFile(path))).samples.filter(({ kind }) => kind === 'video');
      for (const [at, { dts, pts }] of again.entries()) {
        expect(Math.abs(dts - own[at]!.dts)).toBeLessThan(7);
        expect(Math.abs(pts - own[at]!.pts)).toBeLessThan(13);
      }
      expect(again.length).toBe(own.length);
    }
  });

  it('delays a track, and skips what primes its decoder', async () => {
    const media = await source([...X264, ...AAC], 'flv');
    const skip = micros(21_333);
    const tracks = new Map([
      [0, { delay: micros(500_000) }],
      [1, { skip }],
    ]);
    const path = await write(media, { tracks });
    const { packets } = await ffprobe(path);
    const first = (kind: string) => packets.filter(({ codec_type }) => codec_type === kind);
    const begins = (kind: string) => media.samples.find((sample) => sample.kind === kind)!.dts / 1_000_000;
    expect(Number(first('video')[0]?.pts_time)).toBeCloseTo(begins('video') + 0.5, 4);
    expect(Number(first('audio')[1]?.pts_time)).toBeCloseTo(begins('audio'), 2);
    const again = mediaOf(readMp4(await readFile(path)));
    expect(again.samples.find(({ kind }) => kind === 'audio')?.pts).toBe(begins('audio') * 1_000_000 - skip);
    expect(again.samples.find(({ kind }) => kind === 'video')?.pts).toBe(begins('video') * 1_000_000 + 500_000);
  });

  it.each([
    ['fragments', ['-movflags', '+frag_keyframe+empty_moov+default_base_moof']],
    ['fragments that count from the start of the file', ['-movflags', '+frag_keyframe+empty_moov']],
    ['fragments of one frame', ['-movflags', '+frag_every_frame+empty_moov+delay_moov']],
    ['tables in front', ['-movflags', '+faststart']],
    ['tables at the end', []],
    ['signed composition offsets', ['-movflags', '+negative_cts_offsets']],
  ])('reads what ffmpeg writes, as ffprobe lists it: %s', async (_, flags) => {
    const path = await make([...X264_B, ...AAC, ...flags], 'mp4');
    const { configs, samples } = demux(await readFile(path), 'mp4');
    const { packets } = await ffprobe(path);
    expect(configs.map(({ codecString }) => codecString)).toEqual(['avc1.64000c', 'mp4a.40.2']);
    for (const config of configs) {
      const own = samples.filter(({ track }) => track === config.track);
      const listed = packets.filter(({ stream_index }) => stream_index === config.track);
      expect(own.map(({ data }) => data.length)).toEqual(listed.map(({ size }) => Number(size)));
      expect(own.map(({ keyframe }) => keyframe)).toEqual(listed.map(({ flags: own }) => own.startsWith('K')));
      for (const [at, sample] of own.entries()) {
        expect(Math.abs(sample.pts - Number(listed[at]!.pts_time) * 1_000_000)).toBeLessThan(2);
        expect(Math.abs(sample.dts - Number(listed[at]!.dts_time) * 1_000_000)).toBeLessThan(2);
      }
    }
  });

  it('tells where a file that broke off is whole', async () => {
    const parts = packaged(await source([...X264, ...AAC], 'flv'));
    const file = Buffer.concat(parts);
    const whole = file.length - (parts.at(-1)?.length ?? 0);
    for (const cut of [1, 200, (parts.at(-1)?.length ?? 0) - 4]) {
      const reader = new Fmp4Reader();
      const bytes = file.subarray(0, file.length - cut);
      for (let at = 0; at < bytes.length; at += 1000) reader.push(bytes.subarray(at, at + 1000));
      expect(reader.wholeUntil).toBe(whole);
    }
    const path = join(directory, 'repaired.mp4');
    await writeFile(path, file.subarray(0, whole));
    await decoded(path, 'v');
  });
});
