import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RecordingContainer, silentLogger } from '@sluice/core';
import { encodeFlvTag, FLV_VIDEO, flvFileHeader, writeGrowingMp4Head } from '@sluice/media';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ffmpeg, ffprobe, testPicture, testSound } from '../../../../../test/support/ffmpeg.js';
import { until } from '../../../../../test/support/until.js';
import { growing } from '../../../../media/src/cmaf/testing/growing.js';
import { demux, fromZero } from '../../../../media/src/cmaf/testing/packaged.js';
import { RecordingDiskError } from './errors.js';
import { RecordingDisk } from './recording-disk.js';

const error = (code: string) => expect.objectContaining({ constructor: RecordingDiskError, code });
const X264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '25', '-pix_fmt', 'yuv420p'];
/** Of a file whose checksum takes a while. */
const LARGE = 300 * 1024 * 1024;
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** An FLV file of some frames. */
const flv = (frames: number): Buffer => {
  const body = Buffer.alloc(2000, 7);
  body.set([0x17, 1]);
  const tags = Array.from({ length: frames }, (_, at) => encodeFlvTag(FLV_VIDEO, at * 40, body));
  return Buffer.concat([flvFileHeader({ audio: false, video: true }), ...tags]);
};

describe('RecordingDisk, of files that grow no more,', () => {
  let directory: string;
  let root: string;
  let disk: RecordingDisk;
  beforeEach(() => {
    directory = fs.mkdtempSync(join(tmpdir(), 'sluice-finisher-'));
    root = join(directory, 'recordings');
    fs.mkdirSync(root);
    disk = RecordingDisk.start({ root, maxWaitingBytes: () => 2 ** 26, log: silentLogger });
  });
  afterEach(async () => {
    await disk.close();
    fs.rmSync(directory, { recursive: true });
  });
  const put = (file: string, bytes: Buffer | string) => {
    fs.mkdirSync(join(root, file, '..'), { recursive: true });
    fs.writeFileSync(join(root, file), bytes);
  };

  it.each<[RecordingContainer, number]>([
    ['flv', 120],
    // Of ffmpeg, whose last packet of sound is shorter than others.
    ['ts', 250],
  ])('finishes %s, whole or broken off', async (container, tolerance) => {
    const file = `a.${container}`;
    const path = join(root, file);
    await ffmpeg([...testPicture({ seconds: 3 }), ...testSound(3), ...X264, '-c:a', 'aac', path]);
    const whole = await disk.finish(file, container);
    const bytes = fs.readFileSync(path);
    expect(whole).toMatchObject({ bytes: bytes.length, sha256: sha256(bytes), repaired: false, damage: [] });
    expect(Math.abs(whole.durationMs - 3000)).toBeLessThan(tolerance);
    expect(await disk.check(file, whole)).toEqual({ kind: 'intact' });
    expect(await disk.finish(file, container)).toEqual(whole);
    fs.writeFileSync(path, bytes.subarray(0, Math.floor(bytes.length * 0.8) + 1));
    const repaired = await disk.finish(file, container);
    expect(repaired).toMatchObject({ repaired: true, bytes: fs.statSync(path).size });
    expect(repaired.durationMs).toBeGreaterThan(1500);
    expect((await ffprobe(path)).warnings).toBe('');
  });

  it('finishes MP4 that grew around the room for its tables, whole or broken off', async () => {
    const source = join(directory, 'source.flv');
    await ffmpeg([...testPicture({ seconds: 3 }), ...testSound(3), ...X264, '-c:a', 'aac', source]);
    const media = fromZero(demux(fs.readFileSync(source), 'flv'));
    const { front, hole, movie } = writeGrowingMp4Head(media.configs, { reserve: 2 ** 20 });
    const [, ...fragments] = growing(media);
    const record = async (appends: readonly Buffer[]) => {
      let name = '';
      const events = {
        opened: (file: string) => {
          name = file;
        },
        flushed: () => {},
        failed: () => {},
      };
      const file = disk.create('live/a.mp4', events, { reserve: { at: front.length, bytes: hole } });
      for (const bytes of [front, movie, ...appends]) file.append(Buffer.from(bytes));
      await file.close();
      return name;
    };
    const name = await record(fragments);
    const whole = await disk.finish(name, 'mp4');
    const path = join(root, name);
    expect(whole).toMatchObject({ isFaststart: true, repaired: false, sha256: sha256(fs.readFileSync(path)) });
    const { packets, warnings } = await ffprobe(path);
    expect([packets.length, warnings]).toEqual([media.samples.length, '']);
    expect(await disk.finish(name, 'mp4')).toEqual(whole);
    const broken = await record([...fragments, (fragments[0] ?? front).subarray(0, 1000)]);
    expect(await disk.finish(broken, 'mp4')).toEqual({ ...whole, repaired: true });
  });

  it('finishes one that still grows after its last byte', async () => {
    const events = { opened: () => {}, flushed: () => {}, failed: () => {} };
    const file = disk.create('live/a.flv', events, {});
    const bytes = flv(50);
    file.append(Buffer.concat([bytes.subarray(0, 10_000)]));
    await until('it is there', async () => (await disk.list()).some(({ bytes }) => bytes === 10_000));
    const finished = disk.finish('live/a.flv', 'flv');
    file.append(Buffer.concat([bytes.subarray(10_000)]));
    await file.close();
    expect(await finished).toMatchObject({ bytes: bytes.length, durationMs: 2000, repaired: false });
  });

  it('says why one cannot be finished', async () => {
    put('text.mp4', 'no media');
    put('empty.ts', '');
    put('dir/x', '');
    fs.symlinkSync('/etc/hostname', join(root, 'link.ts'));
    fs.symlinkSync('/etc', join(root, 'etc'));
    await expect(disk.finish('none.mp4', 'mp4')).rejects.toEqual(error('missing'));
    await expect(disk.finish('none/none.mp4', 'mp4')).rejects.toEqual(error('missing'));
    for (const [file, container] of [
      ['text.mp4', 'mp4'],
      ['text.mp4', 'flv'],
      ['text.mp4', 'ts'],
      ['empty.ts', 'ts'],
    ])
      await expect(disk.finish(file ?? '', container as RecordingContainer)).rejects.toEqual(error('unreadable'));
    for (const file of ['link.ts', 'etc/hostname', '../a.ts', 'dir', ''])
      await expect(disk.finish(file, 'ts')).rejects.toEqual(error('bad-name'));
    expect(fs.readFileSync(join(root, 'text.mp4'), 'latin1')).toBe('no media');
  });

  it('knows one that is not what it was', async () => {
    const bytes = flv(20);
    put('a.flv', bytes);
    const finished = await disk.finish('a.flv', 'flv');
    expect(await disk.check('a.flv', finished)).toEqual({ kind: 'intact' });
    put('a.flv', Buffer.concat([bytes, bytes]));
    expect(await disk.check('a.flv', finished)).toMatchObject({ kind: 'damaged', detail: /has 80653 bytes/ });
    bytes[5000] = (bytes[5000] ?? 0) ^ 1;
    put('a.flv', bytes);
    expect(await disk.check('a.flv', finished)).toMatchObject({ kind: 'damaged', detail: /SHA-256/ });
    fs.rmSync(join(root, 'a.flv'));
    expect(await disk.check('a.flv', finished)).toEqual({ kind: 'missing' });
    expect(await disk.check('a.flv/b', finished)).toEqual({ kind: 'missing' });
    await expect(disk.check('../a', finished)).rejects.toEqual(error('bad-name'));
  });

  it('finishes before it goes on with what is only checked', async () => {
    put('large', '');
    fs.truncateSync(join(root, 'large'), LARGE);
    put('a.flv', flv(20));
    const order: string[] = [];
    const expected = { bytes: LARGE, sha256: 'f'.repeat(64) };
    const check = disk.check('large', expected).then(() => order.push('check'));
    const finish = disk.finish('a.flv', 'flv').then(() => order.push('finish'));
    await Promise.all([check, finish]);
    expect(order).toEqual(['finish', 'check']);
  });

  it('makes all of them whole before it takes checksums, which can take long', async () => {
    const clip = join(directory, 'clip.ts');
    await ffmpeg([...testPicture({ seconds: 1 }), ...X264, clip]);
    const bytes = fs.readFileSync(clip);
    put('large.ts', bytes);
    fs.truncateSync(join(root, 'large.ts'), Math.floor(LARGE / 188) * 188);
    fs.appendFileSync(join(root, 'large.ts'), bytes);
    put('a.flv', flv(20).subarray(0, -100));
    let isLargeDone = false;
    const large = disk.finish('large.ts', 'ts').then(() => {
      isLargeDone = true;
    });
    const small = disk.finish('a.flv', 'flv');
    await until('it is cut', () => fs.statSync(join(root, 'a.flv')).size === flv(19).length);
    expect(isLargeDone).toBe(false);
    await large;
    expect(await small).toMatchObject({ repaired: true, sha256: sha256(flv(19)) });
  });

  it('removes one, with the directories that are empty then, and never what is outside', async () => {
    put('live/a/1.ts', 'x');
    put('live/b/2.ts', 'x');
    fs.mkdirSync(join(directory, 'outside'));
    fs.writeFileSync(join(directory, 'outside/3.ts'), 'x');
    fs.symlinkSync(join(directory, 'outside'), join(root, 'out'));
    expect(await disk.remove('live/a/1.ts')).toBe(true);
    expect(await disk.remove('live/a/1.ts')).toBe(false);
    expect(fs.readdirSync(join(root, 'live'))).toEqual(['b']);
    expect(await disk.remove('live/b/2.ts')).toBe(true);
    expect(fs.readdirSync(root)).toEqual(['out']);
    for (const file of ['out/3.ts', '../outside/3.ts', 'out'])
      await expect(disk.remove(file)).rejects.toEqual(error('bad-name'));
    expect(fs.readdirSync(join(directory, 'outside'))).toEqual(['3.ts']);
  });

  it('lists what is there, without following links', async () => {
    put('live/a/1.ts', 'x');
    put('2.ts', 'xy');
    fs.symlinkSync('/etc', join(root, 'etc'));
    const listed = await disk.list();
    expect(listed.map(({ file, bytes }) => [file, bytes]).sort()).toEqual([
      ['2.ts', 2],
      ['live/a/1.ts', 1],
    ]);
    expect(Math.abs((listed[0]?.modifiedAt ?? 0) - Date.now())).toBeLessThan(60_000);
    fs.rmSync(root, { recursive: true });
    expect(await disk.list()).toEqual([]);
  });

  it('leaves what it is doing when it is closed', async () => {
    put('large', '');
    fs.truncateSync(join(root, 'large'), LARGE);
    const check = disk.check('large', { bytes: LARGE, sha256: '' });
    const closing = disk.close();
    await expect(check).rejects.toEqual(error('closed'));
    await closing;
    await expect(disk.list()).rejects.toEqual(error('closed'));
  });
});
