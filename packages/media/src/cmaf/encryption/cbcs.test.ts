import { createDecipheriv } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ffmpeg, ffprobe, testPicture, testSound } from '../../../../../test/support/ffmpeg.js';
import { aacTrackConfig } from '../../codecs/aac.js';
import { av1TrackConfig } from '../../codecs/av1.js';
import { H264_NAL, h264NalType } from '../../codecs/h264.js';
import { joinLengthPrefixed, splitLengthPrefixed } from '../../codecs/nal.js';
import { MediaError } from '../../errors.js';
import { writeFragment } from '../fragment.js';
import { writeInitSegment } from '../init-segment.js';
import { readMp4 } from '../reading/mp4-file.js';
import { decoded, demux, type Media, packaged, type SourceFormat } from '../testing/packaged.js';
import type { TrackRun } from '../track-run.js';
import { CbcsEncryptor } from './cbcs-encryptor.js';

const SECRET = {
  key: Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex'),
  iv: Buffer.from('f0e0d0c0b0a090807060504030201000', 'hex'),
  keyId: Buffer.from('a1a2a3a4a5a6a7a8a9aaabacadaeafb0', 'hex'),
};
/**
 * Of a seekable file ffmpeg 5 reads all fragments before the first sample, and then takes the parts of samples from the
 * wrong one. With `ignidx`, as from a pipe, it reads them one by one.
 */
const KEY_ARGS = ['-fflags', '+ignidx', '-decryption_key', SECRET.key.toString('hex')];
const SOUND = aacTrackConfig(1, Buffer.from('1190', 'hex'));
const AAC = ['-c:a', 'aac'];
const x264 = (params: string, more: readonly string[] = []) => [
  ...['-c:v', 'libx264', '-preset', 'medium', '-g', '25', ...more, '-x264-params', params],
  ...AAC,
];
const x265 = (params: string, preset = 'medium') => [
  ...['-c:v', 'libx265', '-preset', preset, '-pix_fmt', 'yuv420p'],
  ...['-x265-params', `log-level=error:keyint=25:${params}`, ...AAC],
];
const error = (code: string) => expect.objectContaining({ name: 'MediaError', code });

describe('cbcs encryption', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-cbcs-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  const source = async (args: readonly string[], format: SourceFormat = 'mpegts'): Promise<Media> => {
    const path = join(directory, `made.${format}`);
    await ffmpeg([...testPicture({ seconds: 2, size: '640x360' }), ...testSound(2), ...args, '-f', format, path]);
    return demux(await readFile(path), format);
  };
  const write = async (name: string, media: Media, secret?: typeof SECRET): Promise<string> => {
    const path = join(directory, name);
    await writeFile(path, Buffer.concat(packaged(media, secret === undefined ? {} : { secret })));
    return path;
  };

  // The ends of slice headers have a test of their own, beside what finds them.
  it.each<[string, readonly string[]]>([
    ['H.264 CAVLC', x264('cabac=0:bframes=0')],
    ['H.264 CABAC with B-frames and weights', x264('bframes=3:weightp=2:weightb=1:ref=4')],
    ['H.264 of many slices', x264('slices=8:bframes=2')],
    ['H.264 interlaced', x264('interlaced=1:bframes=2', ['-flags', '+ilme+ildct'])],
    ['HEVC with B-frames, weights and open GOPs', x265('bframes=4:weightp=1:weightb=1:b-adapt=2:ref=4:open-gop=1')],
    ['HEVC of many slices', x265('slices=4:bframes=2')],
  ])('is undone by ffmpeg, and leaves headers clear: %s', async (_, args) => {
    const media = await source(args);
    const clear = await write('clear.mp4', media);
    const secret = await write('secret.mp4', media, SECRET);
    for (const kind of ['v', 'a'] as const) {
      expect(await decoded(secret, kind, KEY_ARGS)).toEqual(await decoded(clear, kind));
      await expect(decoded(secret, kind)).rejects.toThrow();
    }
    // ffprobe, without the key, can read the slices' headers: it finds keyframes, types and times.
    const { streams, packets, warnings } = await ffprobe(secret, KEY_ARGS);
    expect([streams.length, warnings]).toEqual([2, '']);
    expect(packets.length).toBe(media.samples.length);
  });

  it('encrypts sound in all its whole blocks, of any length', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 70 }), { minLength: 1, maxLength: 5 }), (frames) => {
        const samples = frames.map((frame) => ({
          ...{ duration: 1024, compositionOffset: 0, keyframe: true },
          data: Buffer.from(frame),
        }));
        const run: TrackRun = { track: 1, kind: 'audio', timescale: 48_000, baseDecodeTime: 0, samples };
        const encrypted = new CbcsEncryptor(SOUND, SECRET).encrypt(run);
        expect(encrypted.subsamples).toBeUndefined();
        for (const [index, { data }] of encrypted.samples.entries()) {
          const end = data.length - (data.length % 16);
          const decipher = createDecipheriv('aes-128-cbc', SECRET.key, SECRET.iv).setAutoPadding(false);
          const back = Buffer.concat([decipher.update(data.subarray(0, end)), data.subarray(end)]);
          expect(back).toEqual(samples[index]?.data);
        }
        expect(run.samples.map(({ data }) => data)).toEqual(frames.map((frame) => Buffer.from(frame)));
      }),
    );
  });

  it('refuses what it could only leave clear', async () => {
    const av1 = av1TrackConfig(0, Buffer.from('81050c000a0b0000002d4cffb3c02f8004', 'hex'));
    expect(() => new CbcsEncryptor(av1, SECRET)).toThrow(error('unsupported'));
    expect(() => new CbcsEncryptor(SOUND, { ...SECRET, key: SECRET.key.subarray(1) })).toThrow(error('malformed'));
    expect(() => new CbcsEncryptor(SOUND, { ...SECRET, iv: Buffer.alloc(8) })).toThrow(error('malformed'));
    const protection = { ...SECRET, keyId: Buffer.alloc(4) };
    expect(() => writeInitSegment([SOUND], { protection })).toThrow(error('malformed'));
    const media = await source(x264('bframes=0'));
    const config = media.configs.find(({ kind }) => kind === 'video')!;
    const sample = media.samples.find(({ kind }) => kind === 'video')!;
    const slice = splitLengthPrefixed(sample.data, 4).find((unit) => h264NalType(unit) === H264_NAL.idr)!;
    const ofSlices = (count: number) => {
      const data = joinLengthPrefixed(Array.from({ length: count }, () => slice));
      const own = { configs: [config], samples: [{ ...sample, data }] };
      return () => packaged(own, { secret: SECRET });
    };
    expect(ofSlices(42)).not.toThrow();
    expect(ofSlices(43)).toThrow(error('too-large'));
    expect(readMp4(Buffer.concat(packaged(media, { secret: SECRET })))).toEqual([
      { type: 'unsupported-track', track: 0, reason: 'an encrypted track' },
      { type: 'unsupported-track', track: 1, reason: 'an encrypted track' },
    ]);
  });

  it('throws nothing but MediaError for slices that are damaged', async () => {
    for (const args of [x264('bframes=2:weightp=2'), x265('bframes=2:weightp=1')]) {
      const media = await source(args);
      const config = media.configs.find(({ kind }) => kind === 'video')!;
      const own = media.samples.filter(({ track }) => track === config.track);
      const encryptor = new CbcsEncryptor(config, SECRET);
      const change = fc.tuple(fc.nat(40), fc.nat(255));
      fc.assert(
        fc.property(fc.nat(own.length - 1), fc.array(change, { minLength: 1, maxLength: 6 }), (which, changes) => {
          const data = Buffer.from(own[which]!.data.subarray(0, 4000));
          data.writeUInt32BE(data.length - 4);
          for (const [at, value] of changes) if (at + 4 < data.length) data[at + 4] = value;
          const samples = [{ duration: 1, compositionOffset: 0, keyframe: false, data }];
          const run = { track: 0, kind: 'video' as const, timescale: 90_000, baseDecodeTime: 0, samples };
          try {
            const encrypted = encryptor.encrypt(run);
            expect(encrypted.samples[0]?.data.length).toBe(data.length);
            writeFragment([encrypted], { sequence: 1 });
          } catch (failure) {
            expect(failure).toBeInstanceOf(MediaError);
          }
        }),
        { numRuns: 2000 },
      );
    }
  });
});
