import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MediaError, writeGrowingMp4Head } from '@sluice/media';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ffmpeg, ffprobe, testPicture, testSound } from '../../../../../test/support/ffmpeg.js';
import { growing } from '../../../../media/src/cmaf/testing/growing.js';
import { demux, fromZero, type Media } from '../../../../media/src/cmaf/testing/packaged.js';
import { type FinishedMp4, finishMp4 } from './mp4.js';

const RESERVE = 1024 * 1024;
const X264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '25', '-pix_fmt', 'yuv420p'];

describe('finishMp4', () => {
  let directory: string;
  let media: Media;
  let fragments: readonly Buffer[];
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'sluice-finish-'));
    const path = join(directory, 'source.flv');
    await ffmpeg([...testPicture({ seconds: 3 }), ...testSound(3), ...X264, '-c:a', 'aac', path]);
    media = fromZero(demux(readFileSync(path), 'flv'));
    fragments = growing(media).slice(1);
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  /** A file as the recorder writes it: the hole is never written. */
  const record = (name: string, options: { reserve?: number; tail?: Buffer } = {}): string => {
    const path = join(directory, name);
    const { front, hole, movie } = writeGrowingMp4Head(media.configs, { reserve: options.reserve ?? RESERVE });
    const fd = openSync(path, 'wx');
    writeSync(fd, front, 0, front.length, 0);
    let at = front.length + hole;
    for (const bytes of [movie, ...fragments, options.tail ?? Buffer.alloc(0)]) {
      at += writeSync(fd, bytes, 0, bytes.length, at);
    }
    closeSync(fd);
    return path;
  };
  const finish = (path: string): FinishedMp4 => {
    const fd = openSync(path, 'r+');
    try {
      return finishMp4(fd);
    } finally {
      closeSync(fd);
    }
  };

  it('finishes a file in place, and leaves what it did not use of the hole a hole', async () => {
    const path = record('whole.mp4');
    const { size } = statSync(path);
    const result = finish(path);
    expect(result).toEqual({
      bytes: size,
      durationMs: result.durationMs,
      isFaststart: true,
      repaired: false,
      damage: [],
    });
    expect(Math.abs(result.durationMs - 3050)).toBeLessThan(100);
    expect(statSync(path).size).toBe(size);
    expect(statSync(path).blocks * 512).toBeLessThan(size - RESERVE / 2);
    const { packets, warnings } = await ffprobe(path);
    expect([packets.length, warnings]).toEqual([media.samples.length, '']);
  });

  it('does nothing to a file that is finished', () => {
    const path = record('twice.mp4');
    const first = finish(path);
    const bytes = readFileSync(path);
    const { mtimeMs } = statSync(path);
    expect(finish(path)).toEqual(first);
    expect(readFileSync(path).equals(bytes)).toBe(true);
    expect(statSync(path).mtimeMs).toBe(mtimeMs);
  });

  it('cuts off a fragment that broke off', async () => {
    const tail = fragments[0]!.subarray(0, -1);
    const path = record('broken.mp4', { tail });
    const { size } = statSync(path);
    const result = finish(path);
    expect(result).toMatchObject({ bytes: size - tail.length, isFaststart: true, repaired: true });
    expect(finish(path)).toEqual({ ...result, repaired: false });
    const { packets, warnings } = await ffprobe(path);
    expect([packets.length, warnings]).toEqual([media.samples.length, '']);
  });

  it('puts the tables at the end where the hole is too small', async () => {
    const path = record('small.mp4', { reserve: 16 });
    const { size } = statSync(path);
    const result = finish(path);
    expect(result).toMatchObject({ isFaststart: false, repaired: false });
    expect(result.bytes).toBeGreaterThan(size);
    expect(finish(path)).toEqual(result);
    const { packets, warnings } = await ffprobe(path);
    expect([packets.length, warnings]).toEqual([media.samples.length, '']);
  });

  it('leaves alone what it can not finish', () => {
    const path = record('headless.mp4');
    const whole = readFileSync(path);
    for (const bytes of [whole.subarray(0, RESERVE), Buffer.alloc(0), Buffer.from('this is no MP4 file')]) {
      writeFileSync(path, bytes);
      expect(() => finish(path)).toThrow(MediaError);
      expect(readFileSync(path).equals(bytes)).toBe(true);
    }
  });
});
