import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ffmpeg, testPicture, testSound } from '../../../../../test/support/ffmpeg.js';
import { MediaError } from '../../errors.js';
import { micros } from '../../time.js';
import { box, fullBox, u32 } from '../box.js';
import { fromZero, type Media, mediaOf, packaged } from '../testing/packaged.js';
import { byTrack, samplesOf, scanned } from '../testing/scanned.js';
import { readBoxes } from './boxes.js';
import { readMp4 } from './mp4-file.js';
import { type Mp4Index, mp4Duration, mp4SampleTimes } from './mp4-index.js';

const SMALL = ['-c:v', 'libx264', '-bf', '2', '-g', '5', '-crf', '51', '-c:a', 'aac', '-b:a', '16k'];
const FRAGMENTED = '+frag_keyframe+empty_moov';

describe('scanMp4', () => {
  let directory: string;
  let media: Media;
  let fragments: readonly Buffer[];
  let ours: Buffer;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-scan-'));
    media = fromZero(mediaOf(readMp4(await make('source.mp4', SMALL))));
    fragments = packaged(media, { extras: true });
    ours = Buffer.concat(fragments);
  });
  afterAll(() => rm(directory, { recursive: true }));

  const make = async (name: string, args: readonly string[]) => {
    const path = join(directory, name);
    await ffmpeg([...testPicture({ seconds: 1, size: '64x64' }), ...testSound(1), ...args, path]);
    return readFile(path);
  };

  it.each<[string, string, readonly string[]]>([
    ['tables in front', 'faststart.mp4', [...SMALL, '-movflags', '+faststart']],
    ['tables at the end', 'end.mp4', SMALL],
    ['signed composition offsets', 'signed.mp4', [...SMALL, '-movflags', '+negative_cts_offsets']],
    ['fragments', 'fragments.mp4', [...SMALL, '-movflags', `${FRAGMENTED}+default_base_moof`]],
    ['fragments that count from the start of the file', 'absolute.mp4', [...SMALL, '-movflags', FRAGMENTED]],
    ['HEVC and Opus', 'opus.mp4', ['-c:v', 'libx265', '-x265-params', 'log-level=error', '-c:a', 'libopus']],
    ['AV1 and MP3', 'av1.mp4', ['-c:v', 'libsvtav1', '-preset', '12', '-c:a', 'libmp3lame']],
    ['VP9 and AAC', 'vp9.mp4', ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-c:a', 'aac']],
    ['QuickTime and MP3', 'made.mov', [...SMALL.slice(0, 8), '-c:a', 'libmp3lame']],
  ])('finds what a reader of the whole file finds: %s', async (_, name, args) => {
    const file = await make(name, args);
    const whole = mediaOf(readMp4(file));
    const { index, reads } = scanned(file);
    expect(index.tracks.map(({ config }) => config)).toEqual(whole.configs);
    expect(index.isFragmented).toBe(name.startsWith('fragments') || name.startsWith('absolute'));
    expect(samplesOf(index, file)).toEqual(byTrack(whole));
    expect(index.damage).toEqual([]);
    expect(reads.length).toBeLessThan(10);
  });

  it('finds what our fragments hold, reads only their headers, and says how long they play', () => {
    const { index, reads } = scanned(ours);
    expect(index).toMatchObject({ isFragmented: true, end: ours.length, damage: [], room: undefined });
    expect(samplesOf(index, ours)).toEqual(byTrack(mediaOf(readMp4(ours))));
    expect(reads.length).toBeLessThan(fragments.length + 2);
    const ends = index.tracks.map((track) => mp4SampleTimes(track, track.count - 1)?.end ?? 0);
    expect(mp4Duration(index)).toBe(micros(Math.max(...ends)));
    expect(mp4SampleTimes(index.tracks[0]!, index.tracks[0]!.count)).toBeUndefined();
  });

  it('finds every whole fragment, wherever the file broke off', () => {
    const ends = fragments.map((_, at) => Buffer.concat(fragments.slice(0, at + 1)).length);
    const [head = 0] = ends;
    for (let length = 0; length <= ours.length; length += length < head ? 1 : 7) {
      const cut = ours.subarray(0, length);
      if (length < head) {
        expect(() => scanned(cut)).toThrow(expect.objectContaining({ name: 'MediaError', code: 'truncated' }));
        continue;
      }
      const { index } = scanned(cut);
      const whole = ends.filter((end) => end <= length);
      expect(index.end).toBe(whole.at(-1));
      expect(samplesOf(index, cut)).toEqual(samplesOf(scanned(ours.subarray(0, whole.at(-1))).index, ours));
    }
  });

  it('goes on where it was while the file grows', () => {
    const ends = fragments.map((_, at) => Buffer.concat(fragments.slice(0, at + 1)).length);
    let known: Mp4Index | undefined;
    for (const end of [...ends, ours.length]) {
      const cut = ours.subarray(0, end + 10);
      const before = known;
      const counts = before?.tracks.map(({ count }) => count);
      const { index, reads } = scanned(cut, before);
      expect(index).toEqual(scanned(cut).index);
      expect(reads.length).toBeLessThan(5);
      expect(before?.tracks.map(({ count, dts }) => [count, dts.length])).toEqual(
        counts?.map((count) => [count, count]),
      );
      known = index;
    }
  });

  it('goes on behind what is damaged in the middle', () => {
    const at = fragments.slice(0, 2).reduce((sum, { length }) => sum + length, 0);
    const moof = ours.indexOf('moof', at, 'latin1') - 4;
    const spoils: ((bytes: Buffer) => void)[] = [
      (bytes) => bytes.fill(0, moof, moof + 50),
      (bytes) => bytes.writeUInt32BE(0xffff_fff0, moof),
      (bytes) => bytes.writeUInt32BE(0xffff_ffff, bytes.indexOf('trun', moof) + 8),
      (bytes) => bytes.fill(0xff, bytes.indexOf('mdat', moof) - 4, bytes.indexOf('mdat', moof) + 4),
    ];
    for (const spoil of spoils) {
      const bytes = Buffer.from(ours);
      spoil(bytes);
      const { index } = scanned(bytes);
      expect(index.end).toBe(ours.length);
      expect(index.damage).toHaveLength(1);
      expect(index.damage[0]?.start).toBe(moof);
      expect(index.damage[0]?.reason).toMatch(/./);
      const all = scanned(ours).index.tracks[0]!.count;
      expect(index.tracks[0]!.count).toBeGreaterThan(all - 10);
      expect(index.tracks[0]!.count).toBeLessThan(all);
    }
  });

  it('passes over zeros at the end, as a power cut may leave them, and a movie that was not yet of the file', () => {
    for (const tail of [Buffer.alloc(5000), box('moov', Buffer.alloc(100)), Buffer.from('rubbish at the end')]) {
      const { index } = scanned(Buffer.concat([ours, tail]));
      expect(index).toMatchObject({ end: ours.length, damage: [] });
    }
  });

  it('refuses what it can not index', async () => {
    const error = (code: string) => expect.objectContaining({ name: 'MediaError', code });
    const finished = await make('refused.mp4', [...SMALL, '-movflags', '+faststart']);
    expect(() => scanned(Buffer.alloc(0))).toThrow(error('truncated'));
    expect(() => scanned(finished.subarray(0, -1))).toThrow(error('truncated'));
    expect(() => scanned(ours.subarray(ours.indexOf('styp', 0, 'latin1') - 4))).toThrow(error('no-config'));
    expect(() => scanned(Buffer.concat([u32(0x4000_0000), Buffer.from('moov')]))).toThrow(error('truncated'));
    expect(() => scanned(Buffer.from('nothing of the kind, but text'))).toThrow(error('truncated'));
  });

  it('throws nothing but MediaError, and asks for nothing that is not there', async () => {
    const finished = await make('fuzz.mp4', [...SMALL, '-movflags', '+faststart']);
    for (const seed of [ours, finished]) {
      const data = readBoxes(seed).filter(({ type }) => type === 'mdat');
      const isData = (at: number) =>
        data.some(({ start, payload }) => at >= start + 8 && at < start + 8 + payload.length);
      const where = Array.from({ length: seed.length }, (_, at) => at).filter((at) => !isData(at));
      const value = fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff));
      const change = fc.tuple(fc.constantFrom(...where), value, fc.integer({ min: 1, max: 4 }));
      fc.assert(
        fc.property(fc.array(change, { maxLength: 5 }), fc.nat(seed.length), (changes, cut) => {
          const bytes = Buffer.from(seed.subarray(0, seed.length - (cut % 3 === 0 ? cut : 0)));
          for (const [at, byte, length] of changes) {
            if (at < bytes.length) bytes.fill(byte, at, Math.min(at + length, bytes.length));
          }
          try {
            const { index } = scanned(bytes);
            samplesOf(index, bytes);
            mp4Duration(index);
          } catch (error) {
            if (!(error instanceof MediaError)) throw error;
          }
        }),
        { numRuns: 500 },
      );
    }
  });

  it('has no room for counts that are forged', () => {
    const forged = (trun: Buffer, size: number) =>
      Buffer.concat([
        fragments[0]!,
        box('moof', fullBox('mfhd', 0, 0, u32(1)), box('traf', fullBox('tfhd', 0, 0x10, u32(1, size)), trun)),
        box('mdat', Buffer.alloc(10)),
      ]);
    for (const count of [11, 190_000, 0xffff_ffff]) {
      const { index } = scanned(forged(fullBox('trun', 0, 0, u32(count)), 1));
      expect(index.tracks.map((track) => track.count)).toEqual([0, 0]);
      expect(index.end).toBe(fragments[0]!.length);
    }
  });
});
