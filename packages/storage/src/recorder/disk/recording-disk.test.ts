import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import type { RecordingTrouble } from '@sluice/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { until } from '../../../../../test/support/until.js';
import { RecordingDiskError } from './errors.js';
import type { GrowingFile } from './growing-file.js';
import { RecordingDisk } from './recording-disk.js';

const threads = vi.hoisted((): Worker[] => []);
vi.mock('node:worker_threads', async (original) => {
  const actual = await original<typeof import('node:worker_threads')>();
  class SeenWorker extends actual.Worker {
    constructor(...args: ConstructorParameters<typeof actual.Worker>) {
      super(...args);
      threads.push(this);
    }
  }
  return { ...actual, Worker: SeenWorker };
});

const MiB = 1024 * 1024;
const error = (code: string) => expect.objectContaining({ constructor: RecordingDiskError, code });

/** Whether file systems can be mounted here, which takes root and, for a loop device, more. */
function canMount(...args: readonly string[]): boolean {
  const at = fs.mkdtempSync(join(tmpdir(), 'sluice-mount-'));
  try {
    execFileSync('mount', [...args, at], { stdio: 'ignore' });
    execFileSync('umount', [at], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  } finally {
    fs.rmSync(at, { recursive: true });
  }
}
const TMPFS = ['-t', 'tmpfs', '-o', 'size=4m', 'none'];
const hasTmpfs = canMount(...TMPFS);
/** A file system that can be frozen: writes to it wait, uninterruptibly, as on a disk that hangs. */
function makeImage(directory: string): string {
  const image = join(directory, 'disk.img');
  fs.closeSync(fs.openSync(image, 'w'));
  fs.truncateSync(image, 64 * MiB);
  execFileSync('mkfs.ext4', ['-q', image], { stdio: 'ignore' });
  return image;
}
const hasFreeze = (() => {
  const directory = fs.mkdtempSync(join(tmpdir(), 'sluice-image-'));
  try {
    return canMount('-o', 'loop', makeImage(directory));
  } catch {
    return false;
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
})();

class Watched {
  file: string | undefined;
  flushed = 0;
  readonly failures: { trouble: RecordingTrouble; detail: string }[] = [];
  readonly growing: GrowingFile;

  constructor(disk: RecordingDisk, file: string) {
    this.growing = disk.create(
      file,
      {
        opened: (name) => {
          this.file = name;
        },
        flushed: (bytes) => {
          this.flushed = bytes;
        },
        failed: (trouble, detail) => this.failures.push({ trouble, detail }),
      },
      {},
    );
  }
}

describe('RecordingDisk', () => {
  let directory: string;
  let root: string;
  let logged: string[];
  const disks: RecordingDisk[] = [];
  const cleanUps: (() => void)[] = [];
  beforeEach(() => {
    directory = fs.mkdtempSync(join(tmpdir(), 'sluice-disk-'));
    root = join(directory, 'recordings');
    logged = [];
    threads.length = 0;
  });
  afterEach(async () => {
    for (const disk of disks.splice(0)) await disk.close();
    for (const cleanUp of cleanUps.splice(0).reverse()) cleanUp();
    fs.rmSync(directory, { recursive: true });
  });

  const start = (options: { maxWaitingBytes?: number; slowMs?: number } = {}): RecordingDisk => {
    const { maxWaitingBytes = 64 * MiB, slowMs = 10_000 } = options;
    const note = (_: unknown, message: string) => logged.push(message);
    const log = { debug: note, info: note, warn: note, error: note };
    const disk = RecordingDisk.start({ root, maxWaitingBytes: () => maxWaitingBytes, log, slowMs });
    disks.push(disk);
    return disk;
  };
  const mount = (...args: readonly string[]) => {
    fs.mkdirSync(root);
    execFileSync('mount', [...args, root]);
    cleanUps.push(() => execFileSync('umount', [root]));
  };
  const sizeOf = (file: string) => fs.statSync(join(root, file)).size;

  it('writes files in the order of their appends, all of it before close() resolves', async () => {
    const disk = start();
    const files = Array.from({ length: 20 }, (_, at) => new Watched(disk, `live/s${at % 10}/a.ts`));
    const hashes = files.map(() => createHash('sha256'));
    for (let time = 0; time < 30; time++) {
      for (const [at, file] of files.entries()) {
        const bytes = Buffer.alloc(1000 + time, time * 31 + at);
        hashes[at]?.update(bytes);
        file.growing.append(bytes);
      }
    }
    await Promise.all(files.map((file) => file.growing.close()));
    expect(disk.waitingBytes).toBe(0);
    expect(new Set(files.map(({ file }) => file)).size).toBe(20);
    for (const [at, { file, flushed, failures }] of files.entries()) {
      const written = fs.readFileSync(join(root, file ?? ''));
      expect({ length: written.length, failures }).toEqual({ length: flushed, failures: [] });
      expect(createHash('sha256').update(written).digest('hex')).toBe(hashes[at]?.digest('hex'));
    }
    expect(logged).toEqual([]);
  });

  it('hands memory over without a copy where a buffer has its own, and copies what shares it', async () => {
    const disk = start();
    const file = new Watched(disk, 'a.ts');
    const own = Buffer.alloc(10_000, 1);
    const shared = Buffer.from('shared');
    const { buffer } = shared;
    file.growing.append(own);
    file.growing.append(shared);
    file.growing.append(Buffer.from(new SharedArrayBuffer(3)));
    expect(own.length).toBe(0);
    expect(shared.buffer).toBe(buffer);
    expect(shared.toString()).toBe('shared');
    await file.growing.close();
    expect(fs.readFileSync(join(root, 'a.ts')).subarray(10_000).toString('latin1')).toBe('shared\0\0\0');
  });

  it('takes no more after close(), and tells nothing of it', async () => {
    const disk = start();
    const file = new Watched(disk, 'a.ts');
    file.growing.append(Buffer.from('one'));
    const closed = file.growing.close();
    file.growing.append(Buffer.from('two'));
    await closed;
    await file.growing.close();
    expect(fs.readFileSync(join(root, 'a.ts'), 'latin1')).toBe('one');
  });

  it('brings everything to the disk when it is closed, and takes nothing afterwards', async () => {
    const disk = start();
    const file = new Watched(disk, 'a.ts');
    for (let time = 0; time < 100; time++) file.growing.append(Buffer.alloc(10_000, time));
    await disk.close();
    expect(sizeOf('a.ts')).toBe(1_000_000);
    const late = new Watched(disk, 'b.ts');
    await late.growing.close();
    expect(late.failures).toMatchObject([{ trouble: 'disk-failed', detail: 'the recording disk is closed' }]);
    await expect(disk.finish('a.ts', 'ts')).rejects.toEqual(error('closed'));
    await expect(disk.space()).rejects.toEqual(error('closed'));
    expect(threads).toHaveLength(1);
  });

  it('says how much room there is', async () => {
    fs.mkdirSync(root);
    const { total, free } = await start().space();
    const { blocks, bsize } = fs.statfsSync(root);
    expect(total).toBe(blocks * bsize);
    expect(free).toBeGreaterThan(0);
    expect(free).toBeLessThan(total);
    fs.rmSync(root, { recursive: true });
    await expect(start().space()).rejects.toEqual(error('disk-failed'));
  });

  it('fails a file for whose bytes there is no room in memory, and begins others when there is again', async () => {
    const disk = start({ maxWaitingBytes: 1000 });
    const file = new Watched(disk, 'a.ts');
    file.growing.append(Buffer.alloc(900));
    file.growing.append(Buffer.alloc(101));
    expect(file.failures).toEqual([]);
    const second = new Watched(disk, 'b.ts');
    await second.growing.close();
    expect(second.failures).toMatchObject([{ trouble: 'disk-slow' }]);
    await file.growing.close();
    expect(file.failures).toEqual([
      { trouble: 'disk-slow', detail: '900 bytes wait for the disk; recording.maxWaitingBytes is 1000' },
    ]);
    expect(sizeOf('a.ts')).toBe(900);
    const third = new Watched(disk, 'c.ts');
    third.growing.append(Buffer.alloc(900));
    await third.growing.close();
    expect(third.failures).toEqual([]);
  });

  it('fails the files of a thread that ended, and goes on with another', async () => {
    const disk = start();
    const files = ['a.ts', 'b.ts'].map((name) => new Watched(disk, name));
    for (const { growing } of files) growing.append(Buffer.from('there'));
    await until('it is on the disk', () => files.every(({ flushed }) => flushed === 5));
    await threads[0]?.terminate();
    for (const { growing } of files) growing.append(Buffer.from('lost'));
    await Promise.all(files.map(({ growing }) => growing.close()));
    for (const { failures } of files) expect(failures).toMatchObject([{ trouble: 'disk-failed' }]);
    expect(disk.waitingBytes).toBe(0);
    const next = new Watched(disk, 'a.ts');
    next.growing.append(Buffer.from('again'));
    await next.growing.close();
    expect(next).toMatchObject({ file: 'a-2.ts', flushed: 5, failures: [] });
    expect(logged).toEqual(['the thread that writes recordings has ended']);
  });

  it('finishes with another thread after one has ended', async () => {
    const disk = start();
    fs.mkdirSync(root);
    fs.writeFileSync(join(root, 'a'), 'x');
    expect(await disk.list()).toMatchObject([{ file: 'a', bytes: 1 }]);
    const dying = disk.check('a', { bytes: 1, sha256: '' });
    await threads[0]?.terminate();
    await dying.catch(() => undefined);
    expect(await disk.list()).toHaveLength(1);
    expect(logged).toEqual(['the thread that finishes recordings has ended']);
  });

  describe.skipIf(!hasTmpfs)('on a small disk (only root can mount one)', () => {
    it('keeps what there was room for, and goes on when there is room', async () => {
      mount(...TMPFS);
      fs.writeFileSync(join(root, 'more'), Buffer.alloc(1.5 * MiB));
      const disk = start();
      const file = new Watched(disk, 'live/a.ts');
      const other = new Watched(disk, 'live/other.ts');
      for (let time = 0; time < 6; time++) file.growing.append(Buffer.alloc(MiB, 1));
      await file.growing.close();
      expect(file.failures).toMatchObject([{ trouble: 'disk-full', detail: expect.stringContaining('ENOSPC') }]);
      expect(file.flushed).toBe(2 * MiB);
      expect(sizeOf('live/a.ts')).toBe(file.flushed);
      expect(other.failures).toEqual([]);

      const refused = new Watched(disk, 'live/a.ts');
      refused.growing.append(Buffer.alloc(MiB));
      await refused.growing.close();
      expect(refused.failures).toMatchObject([{ trouble: 'disk-full' }]);
      expect(fs.readdirSync(join(root, 'live')).sort()).toEqual(['a.ts', 'other.ts']);

      expect(await disk.remove('more')).toBe(true);
      const next = new Watched(disk, 'live/a.ts');
      next.growing.append(Buffer.alloc(100_000));
      await next.growing.close();
      expect(next).toMatchObject({ file: 'live/a-2.ts', flushed: 100_000, failures: [] });
    });

    it('says that a disk can only be read', async () => {
      mount(...TMPFS);
      const disk = start();
      const file = new Watched(disk, 'a.ts');
      file.growing.append(Buffer.from('there'));
      await file.growing.close();
      execFileSync('mount', ['-o', 'remount,ro', root]);
      const refused = new Watched(disk, 'b.ts');
      await refused.growing.close();
      expect(refused.failures).toMatchObject([{ trouble: 'disk-failed', detail: expect.stringContaining('EROFS') }]);
      await expect(disk.remove('a.ts')).rejects.toEqual(error('disk-failed'));
      await expect(disk.finish('a.ts', 'ts')).rejects.toEqual(error('disk-failed'));
    });
  });

  describe.skipIf(!hasFreeze)('on a disk that hangs (only root can freeze one)', () => {
    let isFrozen = false;
    const freeze = () => {
      execFileSync('fsfreeze', ['-f', root]);
      isFrozen = true;
    };
    const thaw = () => {
      if (isFrozen) execFileSync('fsfreeze', ['-u', root]);
      isFrozen = false;
    };
    beforeEach(() => {
      mount('-o', 'loop', makeImage(directory));
      cleanUps.push(thaw);
    });

    it('has on the disk what it says is there, when the power goes', async () => {
      const disk = start();
      const files = Array.from({ length: 8 }, (_, at) => new Watched(disk, `live/s${at}/2026-11-21/a.ts`));
      const bytes = Buffer.alloc(50_000);
      for (let time = 0; time < 3; time++) {
        for (const { growing } of files) growing.append(Buffer.alloc(bytes.length, 1 + time));
      }
      await until('it is on the disk', () => files.every(({ flushed }) => flushed === 3 * bytes.length));
      // What the device has now; what the kernel still keeps in memory isn't in it.
      fs.copyFileSync(join(directory, 'disk.img'), join(directory, 'cut.img'));
      const cut = join(directory, 'cut');
      fs.mkdirSync(cut);
      execFileSync('mount', ['-o', 'loop', join(directory, 'cut.img'), cut]);
      cleanUps.push(() => execFileSync('umount', [cut]));
      for (const { file } of files) {
        const kept = fs.readFileSync(join(cut, file ?? ''));
        expect(kept.equals(Buffer.concat([1, 2, 3].map((fill) => Buffer.alloc(bytes.length, fill))))).toBe(true);
      }
    });

    it('pauses, refuses files meanwhile, and loses nothing that it had taken', async () => {
      const disk = start({ slowMs: 500 });
      const file = new Watched(disk, 'live/a.ts');
      file.growing.append(Buffer.from('before '));
      await until('it is on the disk', () => file.flushed === 7);
      freeze();
      file.growing.append(Buffer.from('while'));
      await until('it is paused', () => file.failures.length > 0);
      expect(file.failures).toMatchObject([{ trouble: 'disk-slow' }]);
      expect(disk.isHung).toBe(true);
      const refused = new Watched(disk, 'live/b.ts');
      await refused.growing.close();
      expect(refused.failures).toMatchObject([{ trouble: 'disk-slow' }]);
      await expect(disk.space()).rejects.toEqual(error('disk-failed'));

      thaw();
      await file.growing.close();
      expect(file.flushed).toBe(12);
      expect(fs.readFileSync(join(root, 'live/a.ts'), 'latin1')).toBe('before while');
      await until('it answers', () => !disk.isHung);
      const next = new Watched(disk, 'live/a.ts');
      next.growing.append(Buffer.from('after'));
      await next.growing.close();
      expect(next).toMatchObject({ file: 'live/a-2.ts', flushed: 5, failures: [] });
      expect(logged).toHaveLength(2);
    });

    it('fails what cannot be finished or removed meanwhile, and does it when it is asked again', async () => {
      const disk = start({ slowMs: 500 });
      fs.writeFileSync(join(root, 'a.ts'), Buffer.alloc(188 * 3 + 1, 0x47));
      freeze();
      await expect(disk.remove('a.ts')).rejects.toEqual(error('disk-failed'));
      expect(disk.isHung).toBe(true);
      await expect(disk.list()).rejects.toEqual(error('disk-failed'));
      thaw();
      await until('it answers', () => !disk.isHung);
      expect(await disk.list()).toEqual([]);
      expect(logged).toHaveLength(2);
    });

    it.each([1, 40])('closes %i files within the time that a call may take, and holds up nobody', async (count) => {
      const disk = start({ slowMs: 500 });
      const files = Array.from({ length: count }, (_, at) => new Watched(disk, `${at}.ts`));
      for (const file of files) file.growing.append(Buffer.from('before'));
      await until('all is on the disk', () => files.every(({ flushed }) => flushed === 6));
      freeze();
      for (const file of files) file.growing.append(Buffer.from('while'));
      let longest = 0;
      let last = performance.now();
      const beat = setInterval(() => {
        longest = Math.max(longest, performance.now() - last);
        last = performance.now();
      }, 5);
      const began = performance.now();
      await disk.close();
      clearInterval(beat);
      expect(performance.now() - began).toBeLessThan(5000);
      expect(longest).toBeLessThan(400);
      for (const { failures } of files) expect(failures).toMatchObject([{ trouble: 'disk-slow' }]);
      expect(disk.waitingBytes).toBe(0);
      thaw();
      await until('the thread is gone', () => threads.every((thread) => thread.threadId === -1));
    });
  });
});
