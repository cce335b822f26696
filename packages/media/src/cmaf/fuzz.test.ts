import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ffmpeg, testPicture, testSound } from '../../../../test/support/ffmpeg.js';
import { MediaError } from '../errors.js';
import { box, fullBox, latin1, u32 } from './box.js';
import { readBoxes } from './reading/boxes.js';
import { Fmp4Reader } from './reading/fmp4-reader.js';
import { readMp4 } from './reading/mp4-file.js';
import { demux, fromZero, packaged } from './testing/packaged.js';

const RUNS_EACH = 300;

/** Everything that reads, as a whole and in pieces. */
function readAll(bytes: Buffer): void {
  for (const read of [
    () => readBoxes(bytes),
    () => readMp4(bytes),
    () => {
      const reader = new Fmp4Reader({ maxBox: 1_000_000 });
      for (let at = 0; at < bytes.length; at += 700) reader.push(bytes.subarray(at, at + 700));
    },
  ]) {
    try {
      read();
    } catch (error) {
      if (!(error instanceof MediaError)) throw error;
    }
  }
}

describe('MP4 that is damaged', () => {
  let directory: string;
  let seeds: readonly Buffer[] = [];
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-mp4-fuzz-'));
    const make = async (name: string, args: readonly string[]) => {
      const path = join(directory, name);
      const sizes = testPicture({ seconds: 0.4, size: '64x64' });
      await ffmpeg([...sizes, ...testSound(0.4), ...args, path]);
      return readFile(path);
    };
    const small = ['-c:v', 'libx264', '-bf', '2', '-g', '5', '-crf', '51'];
    const progressive = await make('progressive.mp4', [
      ...small,
      '-c:a',
      'aac',
      '-b:a',
      '16k',
      '-movflags',
      '+faststart',
    ]);
    const opus = await make('opus.mp4', ['-c:v', 'libvpx-vp9', '-crf', '60', '-c:a', 'libopus', '-b:a', '8k']);
    const mp3 = await make('mp3.mov', [...small, '-c:a', 'libmp3lame', '-b:a', '32k']);
    const theirs = await make('theirs.mp4', [...small, '-c:a', 'aac', '-movflags', '+frag_keyframe+empty_moov']);
    const ours = Buffer.concat(packaged(fromZero(demux(progressive, 'mp4')), { extras: true }));
    seeds = [progressive, opus, mp3, theirs, ours];
  });
  afterAll(() => rm(directory, { recursive: true }));

  it('throws nothing but MediaError, where it is cut', () => {
    for (const seed of seeds) {
      const step = Math.max(1, Math.floor(seed.length / 300));
      for (let end = 0; end < seed.length; end += step) readAll(seed.subarray(0, end));
    }
  });

  it('throws nothing but MediaError, where bytes are changed', () => {
    // Most of a file is data of samples: the changes go to where the boxes are.
    const places = (seed: Buffer) => {
      const media = readBoxes(seed).filter(({ type }) => type === 'mdat');
      const inside = (at: number) =>
        media.some(
          ({ payload }) =>
            at >= payload.byteOffset - seed.byteOffset && at < payload.byteOffset - seed.byteOffset + payload.length,
        );
      return Array.from({ length: seed.length }, (_, at) => at).filter((at) => !inside(at));
    };
    for (const seed of seeds) {
      const where = places(seed);
      const value = fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff));
      const change = fc.tuple(fc.constantFrom(...where), value, fc.integer({ min: 1, max: 4 }));
      fc.assert(
        fc.property(fc.array(change, { minLength: 1, maxLength: 5 }), (changes) => {
          const bytes = Buffer.from(seed);
          for (const [at, byte, length] of changes) bytes.fill(byte, at, Math.min(at + length, bytes.length));
          readAll(bytes);
        }),
        { numRuns: RUNS_EACH },
      );
    }
  });

  it('throws nothing but MediaError, for any bytes between box headers', () => {
    const type = fc.constantFrom(
      'moov',
      'moof',
      'mdat',
      'trak',
      'traf',
      'trun',
      'tfhd',
      'mvhd',
      'mdia',
      'stbl',
      'free',
    );
    const { tree } = fc.letrec<{ tree: Buffer; boxes: Buffer }>((tie) => ({
      tree: fc
        .tuple(
          type,
          fc.oneof(
            { depthSize: 'small' },
            fc.uint8Array({ maxLength: 60 }).map((b) => Buffer.from(b)),
            tie('boxes'),
          ),
        )
        .map(([name, inside]) => box(name, inside)),
      boxes: fc.array(tie('tree'), { maxLength: 4 }).map((boxes) => Buffer.concat(boxes)),
    }));
    fc.assert(fc.property(fc.array(tree, { maxLength: 4 }), (boxes) => readAll(Buffer.concat(boxes))));
  });

  it('asks for no more than there is of it', () => {
    const found = (bytes: Buffer) => () => readMp4(bytes);
    const error = (code: string) => expect.objectContaining({ name: 'MediaError', code });
    const [progressive, , , , ours] = seeds as readonly [Buffer, Buffer, Buffer, Buffer, Buffer];
    const changed = (seed: Buffer, type: string, at: number, value: number) => {
      const bytes = Buffer.from(seed);
      bytes.writeUInt32BE(value, bytes.indexOf(type, 0, 'latin1') + 4 + at);
      return bytes;
    };
    // Four thousand million samples: of a table, of one size for all, of a run without sizes.
    expect(found(changed(progressive, 'stsz', 8, 0xffff_ffff))).toThrow(error('truncated'));
    expect(found(changed(changed(progressive, 'stsz', 4, 1), 'stsz', 8, 4_000_000))).toThrow(error('malformed'));
    expect(found(changed(progressive, 'stts', 4, 0xffff_ffff))).toThrow(error('truncated'));
    expect(found(changed(ours, 'trun', 4, 0xffff_ffff))).toThrow(error('too-large'));
    const emptyRun = fullBox('trun', 0, 0, u32(150_000));
    const traf = box('traf', fullBox('tfhd', 0, 0, u32(1)), emptyRun);
    const forged = Buffer.concat([ours, box('moof', traf), box('mdat')]);
    expect(found(forged)).toThrow(error('malformed'));
    // Fragments without data: in the middle, and at the end.
    const parts = readBoxes(ours).filter(({ type }) => type !== 'styp' && type !== 'prft' && type !== 'emsg');
    const without = (which: number) =>
      Buffer.concat(parts.filter((_, at) => at !== which).map(({ type, payload }) => box(type, payload)));
    expect(parts.map(({ type }) => type)).toEqual(['ftyp', 'moov', 'moof', 'mdat', 'moof', 'mdat', 'moof', 'mdat']);
    expect(found(without(3))).toThrow(error('malformed'));
    expect(found(without(7))).toThrow(error('truncated'));
    expect(found(without(1))).toThrow(error('unsupported'));
    // The same bytes for many samples.
    const overlapping = Buffer.from(progressive);
    const size = overlapping.indexOf('stsz', 0, 'latin1') + 16;
    overlapping.writeUInt32BE(progressive.length, size);
    expect(found(overlapping)).toThrow(error('malformed'));
    const reader = new Fmp4Reader({ maxBox: 1000 });
    expect(() => reader.push(Buffer.concat([u32(1001), latin1('moov')]))).toThrow(error('too-large'));
    expect(() => readBoxes(Buffer.concat(Array.from({ length: 5000 }, () => box('free'))))).toThrow(error('too-large'));
    expect(() => readBoxes(Buffer.concat([u32(7), latin1('free')]))).toThrow(error('malformed'));
  });
});
