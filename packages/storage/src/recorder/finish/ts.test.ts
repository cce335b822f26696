import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type MediaEvent, micros, type Sample, type TrackConfig, TsDemuxer, TsMuxer } from '@sluice/media';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ffmpeg, ffprobe, testPicture, testSound } from '../../../../../test/support/ffmpeg.js';
import { finishTs } from './ts.js';

const SECONDS = 6;
const PACKET = 188;

/** In memory where there is such a place: each cut is synced. */
const SCRATCH = fs.existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

describe('finishTs', () => {
  let directory: string;
  let path: string;
  let grown: Buffer;
  let samples: Sample[];
  let configs: TrackConfig[];
  beforeAll(async () => {
    directory = fs.mkdtempSync(join(SCRATCH, 'sluice-finish-'));
    path = join(directory, 'a.ts');
    const codecs = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '25', '-b:v', '100k', '-c:a', 'aac'];
    await ffmpeg([...testPicture({ seconds: SECONDS, size: '64x64' }), ...testSound(SECONDS), ...codecs, path]);
    const demuxer = new TsDemuxer();
    const events = [...demuxer.push(fs.readFileSync(path)), ...demuxer.flush()] as MediaEvent[];
    configs = events.flatMap((event) => (event.type === 'config' ? [event.config] : []));
    samples = events.flatMap((event) => (event.type === 'sample' ? [event.sample] : []));
    grown = muxed(0);
  });
  afterAll(() => fs.rmSync(directory, { recursive: true }));

  const muxed = (shift: number): Buffer => {
    const muxer = new TsMuxer(configs);
    const moved = samples.map((sample) => ({
      ...sample,
      dts: micros(sample.dts + shift),
      pts: micros(sample.pts + shift),
    }));
    return Buffer.concat([muxer.tables(), ...moved.map((sample) => muxer.sample(sample))]);
  };
  const finish = (bytes: Buffer) => {
    fs.writeFileSync(path, bytes);
    const fd = fs.openSync(path, 'r+');
    try {
      return finishTs(fd);
    } finally {
      fs.closeSync(fd);
    }
  };
  const probedDuration = () =>
    Number(
      JSON.parse(execFileSync('ffprobe', ['-v', 'error', '-of', 'json', '-show_format', path]).toString()).format
        .duration,
    );

  it('finds the duration, and changes nothing of a whole file', () => {
    const { durationMs, ...rest } = finish(grown);
    expect(rest).toEqual({ isFaststart: true, repaired: false, damage: [] });
    expect(Math.abs(durationMs / 1000 - probedDuration())).toBeLessThan(0.05);
    expect(fs.readFileSync(path).equals(grown)).toBe(true);
  });

  it('finds it over the wrap of the clock', () => {
    const { durationMs } = finish(grown);
    const wrapAt = (2 ** 33 / 90_000) * 1e6 - (SECONDS / 2) * 1e6;
    expect(Math.abs(finish(muxed(wrapAt)).durationMs - durationMs)).toBeLessThanOrEqual(1);
  });

  it('cuts a file that ends anywhere to its last whole packet', () => {
    const demuxed = new Map<number, number>();
    for (let length = 0; length <= 9 * PACKET; length++) {
      const end = length - (length % PACKET);
      const isReadable = end > 3 * PACKET;
      if (end < 3 * PACKET) {
        expect(() => finish(Buffer.from(grown.subarray(0, length))), `${length}`).toThrow(
          expect.objectContaining({ code: 'malformed' }),
        );
        expect(fs.statSync(path).size).toBe(length);
        continue;
      }
      const { repaired, durationMs } = finish(Buffer.from(grown.subarray(0, length)));
      expect({ repaired, end: fs.statSync(path).size }, `${length}`).toEqual({ repaired: end < length, end });
      if (isReadable && !demuxed.has(end)) demuxed.set(end, durationMs);
      expect(demuxed.get(end) ?? durationMs).toBe(durationMs);
    }
  });

  it('leaves what our demuxer and ffprobe read, wherever it was cut', async () => {
    for (let cut = 1; cut <= 6; cut++) {
      const length = Math.floor((grown.length * cut) / 7);
      finish(Buffer.from(grown.subarray(0, length)));
      const demuxer = new TsDemuxer();
      const bytes = fs.readFileSync(path);
      const events = [...demuxer.push(bytes), ...demuxer.flush()];
      const count = events.filter(({ type }) => type === 'sample').length;
      const { packets } = await ffprobe(path);
      expect(bytes.length % PACKET).toBe(0);
      // ffprobe gives the PES packet that was cut off too.
      expect(packets.length).toBeGreaterThanOrEqual(count);
      expect(packets.length).toBeLessThanOrEqual(count + 2);
    }
  });

  it('cuts off what a file system left of zeros, however much', () => {
    const { durationMs } = finish(grown);
    const zeros = Buffer.concat([grown, Buffer.alloc(5_000_000)]);
    expect(finish(zeros)).toMatchObject({ durationMs, repaired: true });
    expect(fs.statSync(path).size).toBe(grown.length);
  });

  it('finds the last times of a file that ends with a picture longer than a window', () => {
    const { durationMs } = finish(grown);
    const filler = Buffer.alloc(30_000 * PACKET);
    for (let at = 0; at < filler.length; at += PACKET) filler.set([0x47, 0x01, 0, 0x10], at);
    expect(finish(Buffer.concat([grown, filler]))).toMatchObject({ durationMs, repaired: false });
  });

  it('throws nothing but that the file cannot be read, whatever is in it', () => {
    const packet = fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => {
      const whole = Buffer.alloc(PACKET, 0xff);
      whole.set(bytes);
      whole.set([0x47, 0x41, 0, 0x10, 0, 0, 1, 0xe0], 0);
      return whole;
    });
    const piece = fc.oneof(
      packet,
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const bytes = Buffer.concat(pieces);
        try {
          const { durationMs } = finish(bytes);
          expect(durationMs).toBeGreaterThanOrEqual(0);
          expect(fs.statSync(path).size % PACKET).toBe(0);
        } catch (error) {
          expect(error).toMatchObject({ name: 'MediaError' });
        }
      }),
      { numRuns: 300 },
    );
  });
});
