import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Logger, silentLogger } from '@sluice/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DiskQueue } from './disk-queue.js';
import { type DiskTrouble, SegmentDisk } from './segment-disk.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-disk-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

function diskWith(maxBytes = 1000, log: Logger = silentLogger) {
  const directory = join(root, 'hls');
  const limit = { maxBytes };
  const disk = new SegmentDisk({ directory, maxBytes: () => limit.maxBytes, log });
  const folderOf = () => {
    const stored: number[] = [];
    const lost: [number, DiskTrouble][] = [];
    const folder = disk.folder({
      stored: (number) => stored.push(number),
      lost: (number, trouble) => lost.push([number, trouble]),
    });
    return { folder, stored, lost };
  };
  const files = async () => {
    const folders = await readdir(directory).catch(() => []);
    return (await Promise.all(folders.map((name) => readdir(join(directory, name))))).flat().sort();
  };
  return { disk, directory, limit, folderOf, files };
}

describe('SegmentDisk', () => {
  it('writes, reads and removes segments', async () => {
    const { disk, folderOf, files } = diskWith();
    const { folder, stored, lost } = folderOf();
    folder.write(7, Buffer.from('seven'));
    folder.write(8, Buffer.from('eight!'));
    expect(folder.sizeOf(7)).toBeUndefined();
    await disk.close();
    expect([stored.toSorted(), disk.bytes, folder.sizeOf(8)]).toEqual([[7, 8], 11, 6]);
    const file = await folder.open(7);
    expect(String(await file?.readFile())).toBe('seven');
    await file?.close();
    folder.remove(7);
    expect(await folder.open(7)).toBeUndefined();
    await disk.close();
    expect([await files(), disk.bytes]).toEqual([['8.seg'], 6]);
    folder.close();
    await disk.close();
    expect([await files(), disk.bytes, lost]).toEqual([[], 0, []]);
  });

  it('leaves nothing of what was removed, or closed, while it was being written', async () => {
    const { disk, folderOf, files } = diskWith();
    const [one, other] = [folderOf(), folderOf()];
    one.folder.write(1, Buffer.from('one'));
    one.folder.write(2, Buffer.from('two'));
    one.folder.remove(1);
    other.folder.write(3, Buffer.from('three'));
    await new Promise(setImmediate);
    other.folder.close();
    await disk.close();
    expect([await files(), one.stored, other.stored, disk.bytes]).toEqual([['2.seg'], [2], [], 3]);
  });

  it('takes away the oldest of all streams where there is no more room', async () => {
    const { disk, limit, folderOf, files } = diskWith(10);
    const [one, other] = [folderOf(), folderOf()];
    for (const [{ folder }, number] of [
      [one, 1],
      [one, 2],
      [other, 1],
    ] as const) {
      folder.write(number, Buffer.alloc(4));
      await disk.close();
    }
    expect([one.lost, other.lost, disk.bytes, await files()]).toEqual([[[1, 'disk-full']], [], 8, ['1.seg', '2.seg']]);
    limit.maxBytes = 3;
    other.folder.write(2, Buffer.alloc(4));
    await disk.close();
    expect(other.lost).toEqual([[2, 'disk-full']]);
  });

  it('tells of what can not be written, and goes on when it can be', async () => {
    const { disk, directory, folderOf, files } = diskWith();
    await writeFile(directory, 'in the way');
    const { folder, stored, lost } = folderOf();
    folder.write(1, Buffer.from('one'));
    await disk.close();
    expect(lost).toEqual([[1, 'disk-failed']]);
    await rm(directory);
    folder.write(2, Buffer.from('two'));
    await disk.close();
    expect([stored, await files()]).toEqual([[2], ['2.seg']]);
    // Somebody empties the disk under it.
    await rm(directory, { recursive: true });
    expect(await folder.open(2)).toBeUndefined();
    expect(lost).toEqual([
      [1, 'disk-failed'],
      [2, 'disk-failed'],
    ]);
    folder.write(3, Buffer.from('three'));
    await disk.close();
    expect([stored, await files(), disk.bytes]).toEqual([[2, 3], ['3.seg'], 5]);
  });

  it('removes what a crash has left, and nothing else', async () => {
    const { disk, directory } = diskWith();
    await disk.clean();
    for (const name of ['stream-0123456789abcdef', 'stream-x', 'other']) {
      await mkdir(join(directory, name), { recursive: true });
    }
    await writeFile(join(directory, 'stream-0123456789abcdef/1.seg'), 'old');
    await disk.clean();
    expect((await readdir(directory)).sort()).toEqual(['other', 'stream-x']);
  });
});

describe('DiskQueue', () => {
  it('is full when so many bytes wait, and takes one that is larger when it is empty', async () => {
    const queue = new DiskQueue(10);
    expect(queue.hasRoom(100)).toBe(true);
    let finish = () => {};
    queue.add(() => new Promise((resolve) => (finish = resolve)), 8);
    expect([queue.hasRoom(2), queue.hasRoom(3)]).toEqual([true, false]);
    finish();
    await queue.idle(1000);
    expect(queue.hasRoom(3)).toBe(true);
  });

  it('does two things at a time, in order, and is waited for no longer than patience lasts', async () => {
    const queue = new DiskQueue(10);
    const [begun, finish]: [number[], (() => void)[]] = [[], []];
    for (const job of [1, 2, 3]) {
      queue.add(() => {
        begun.push(job);
        return new Promise((resolve) => finish.push(resolve));
      });
    }
    expect(begun).toEqual([1, 2]);
    await queue.idle(1);
    finish[1]?.();
    await new Promise(setImmediate);
    expect(begun).toEqual([1, 2, 3]);
    for (const done of finish) done();
    await queue.idle(1000);
  });
});
