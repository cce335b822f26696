import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FileCalls, FileWriter } from './file-writer.js';
import type { DiskNews, ReservedRoom } from './protocol.js';

const systemError = (code: string) => Object.assign(new Error(`${code}: as the test wants it`), { code });

describe('FileWriter', () => {
  let directory: string;
  let root: string;
  let news: DiskNews[];
  beforeEach(() => {
    directory = fs.mkdtempSync(join(tmpdir(), 'sluice-writer-'));
    root = join(directory, 'recordings');
    news = [];
  });
  afterEach(() => fs.rmSync(directory, { recursive: true }));

  const writer = (over: Partial<FileCalls> = {}) =>
    new FileWriter({ root, tell: (item) => news.push(item), fs: { ...fs, ...over } });
  const open = (to: FileWriter, id: number, file: string, reserve?: ReservedRoom) =>
    to.take({ kind: 'open', id, file, reserve });
  const append = (to: FileWriter, id: number, text: string) =>
    to.take({ kind: 'append', id, bytes: Buffer.from(text) });
  const close = (to: FileWriter, id: number) => to.take({ kind: 'close', id });
  const read = (file: string) => fs.readFileSync(join(root, file), 'latin1');

  it('writes what it is given, and tells of it when it is on the disk', () => {
    const to = writer();
    open(to, 1, 'live/show/a.ts');
    append(to, 1, 'one');
    append(to, 1, 'two');
    expect(news).toEqual([]);
    to.sync();
    append(to, 1, 'three');
    close(to, 1);
    to.sync();
    expect(read('live/show/a.ts')).toBe('onetwothree');
    expect(news).toEqual([
      { kind: 'opened', id: 1, file: 'live/show/a.ts' },
      { kind: 'flushed', id: 1, length: 6, taken: 6 },
      { kind: 'flushed', id: 1, length: 11, taken: 5 },
      { kind: 'closed', id: 1, length: 11 },
    ]);
  });

  it('syncs a file once, however much is appended, and others of the same batch once each', () => {
    const synced: number[] = [];
    const to = writer({
      fdatasyncSync: (fd) => {
        synced.push(fd);
        fs.fdatasyncSync(fd);
      },
    });
    for (const id of [1, 2]) open(to, id, `${id}.ts`);
    for (let time = 0; time < 5; time++) for (const id of [1, 2]) append(to, id, 'x');
    to.sync();
    to.sync();
    expect(synced).toHaveLength(2);
    expect(new Set(synced).size).toBe(2);
    for (const id of [1, 2]) close(to, id);
    to.sync();
  });

  it('goes on where the system wrote a part only', () => {
    const to = writer({
      writeSync: ((fd: number, bytes: Uint8Array, offset: number, length: number, position: number) =>
        fs.writeSync(fd, bytes, offset, Math.min(length, 3), position)) as typeof fs.writeSync,
    });
    open(to, 1, 'a.ts');
    append(to, 1, 'a longer text');
    close(to, 1);
    to.sync();
    expect(read('a.ts')).toBe('a longer text');
  });

  it('gives a number to what has a taken name', () => {
    const to = writer();
    for (const id of [1, 2, 3]) {
      open(to, id, 'live/a.b.mp4');
      append(to, id, `${id}`);
    }
    open(to, 4, 'live/plain');
    open(to, 5, 'live/plain');
    for (const id of [4, 5]) append(to, id, `${id}`);
    for (const id of [1, 2, 3, 4, 5]) close(to, id);
    to.sync();
    const names = ['live/a.b.mp4', 'live/a.b-2.mp4', 'live/a.b-3.mp4', 'live/plain', 'live/plain-2'];
    expect(names.map(read)).toEqual(['1', '2', '3', '4', '5']);
    expect(news.flatMap((item) => (item.kind === 'opened' ? [item.file] : []))).toEqual(names);
  });

  it('leaves no empty file', () => {
    const to = writer();
    open(to, 1, 'live/a.ts');
    close(to, 1);
    to.sync();
    expect(fs.readdirSync(join(root, 'live'))).toEqual([]);
    expect(news).toEqual([{ kind: 'closed', id: 1, length: 0 }]);
  });

  it('leaves reserved room as a hole, wherever appends are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ minLength: 1, maxLength: 20, unit: 'binary-ascii' }), { minLength: 1, maxLength: 6 }),
        fc.nat(60),
        fc.nat({ max: 1_000_000 }),
        (pieces, at, bytes) => {
          const to = writer();
          news.length = 0;
          open(to, 1, 'hole.mp4', { at, bytes });
          for (const piece of pieces) append(to, 1, piece);
          close(to, 1);
          to.sync();
          const whole = pieces.join('');
          const isReached = whole.length > at;
          const [opened] = news;
          const name = opened?.kind === 'opened' ? opened.file : 'none';
          const hole = isReached ? '\0'.repeat(bytes) : '';
          expect(read(name)).toBe(isReached ? whole.slice(0, at) + hole + whole.slice(at) : whole);
          expect(fs.statSync(join(root, name)).blocks * 512).toBeLessThanOrEqual(16_384);
          fs.rmSync(join(root, name));
        },
      ),
      { numRuns: 50 },
    );
  });

  describe('where the system fails', () => {
    it('cuts off what is half written, and keeps what was appended before', () => {
      let calls = 0;
      const to = writer({
        writeSync: ((fd: number, bytes: Uint8Array, offset: number, length: number, position: number) => {
          calls += 1;
          if (calls === 4) throw systemError('ENOSPC');
          return fs.writeSync(fd, bytes, offset, Math.min(length, 2), position);
        }) as typeof fs.writeSync,
      });
      open(to, 1, 'a.ts');
      append(to, 1, 'whole'.slice(0, 4));
      append(to, 1, 'half-written');
      append(to, 1, 'never');
      close(to, 1);
      to.sync();
      expect(read('a.ts')).toBe('whol');
      expect(news).toEqual([
        { kind: 'opened', id: 1, file: 'a.ts' },
        { kind: 'flushed', id: 1, length: 4, taken: 16 },
        { kind: 'failed', id: 1, trouble: 'disk-full', detail: 'ENOSPC: as the test wants it', length: 4 },
      ]);
    });

    it('keeps what was synced where it cannot sync any more', () => {
      let fails = false;
      const to = writer({
        fdatasyncSync: (fd) => {
          if (fails) throw systemError('EIO');
          fs.fdatasyncSync(fd);
        },
      });
      open(to, 1, 'a.ts');
      append(to, 1, 'synced');
      to.sync();
      fails = true;
      append(to, 1, 'doubtful');
      to.sync();
      expect(read('a.ts')).toBe('synced');
      expect(news.at(-1)).toMatchObject({ kind: 'failed', trouble: 'disk-failed', length: 6 });
      expect(news.at(-1)).toMatchObject({ detail: expect.stringContaining('EIO') });
    });

    it('removes a file that has nothing good', () => {
      const to = writer({
        writeSync: (() => {
          throw systemError('EDQUOT');
        }) as typeof fs.writeSync,
      });
      open(to, 1, 'a.ts');
      append(to, 1, 'none');
      to.sync();
      expect(fs.readdirSync(root)).toEqual([]);
      expect(news).toMatchObject([{ kind: 'failed', trouble: 'disk-full', length: 0 }]);
    });

    it('begins no file on a disk that was full before there is some room', () => {
      let free = 10;
      let full = true;
      const to = writer({
        statfsSync: (() => ({ bsize: 4096, blocks: 1000, bavail: free })) as unknown as typeof fs.statfsSync,
        writeSync: ((...args: Parameters<typeof fs.writeSync>) => {
          if (full) throw systemError('ENOSPC');
          return fs.writeSync(...args);
        }) as typeof fs.writeSync,
      });
      open(to, 1, 'a.ts');
      append(to, 1, 'none');
      full = false;
      open(to, 2, 'b.ts');
      expect(news.at(-1)).toMatchObject({ kind: 'failed', id: 2, trouble: 'disk-full' });
      expect(news.at(-1)).toMatchObject({ detail: expect.stringContaining('has 40960 bytes free') });
      free = 60;
      open(to, 3, 'c.ts');
      append(to, 3, 'there');
      close(to, 3);
      to.sync();
      expect(read('c.ts')).toBe('there');
    });

    it.each([
      ['removed', (path: string) => fs.rmSync(path)],
      ['moved away', (path: string) => fs.renameSync(path, `${path}.old`)],
      [
        'replaced',
        (path: string) => {
          fs.renameSync(path, `${path}.old`);
          fs.writeFileSync(path, 'other');
        },
      ],
    ])('notices that a file was %s while it grows', (_, act) => {
      const to = writer();
      open(to, 1, 'live/a.ts');
      append(to, 1, 'one');
      to.sync();
      act(join(root, 'live/a.ts'));
      append(to, 1, 'two');
      to.sync();
      expect(news.at(-1)).toMatchObject({ kind: 'failed', trouble: 'disk-failed', length: 0 });
      expect(news.at(-1)).toMatchObject({ detail: expect.stringContaining('was removed or moved away') });
    });

    it('makes its folder again after somebody has removed it', () => {
      const to = writer();
      open(to, 1, 'live/a.ts');
      append(to, 1, 'one');
      fs.rmSync(root, { recursive: true });
      to.sync();
      expect(news.at(-1)).toMatchObject({ kind: 'failed', trouble: 'disk-failed' });
      open(to, 2, 'live/a.ts');
      append(to, 2, 'two');
      close(to, 2);
      to.sync();
      expect(read('live/a.ts')).toBe('two');
    });
  });

  describe('names', () => {
    it.each(['', '/', '/etc/passwd', '../a', 'a/../b', 'a/./b', 'a//b', 'a/', 'a\\b', 'a\0b', '.', '..'])(
      'that are no place under the root are refused: %j',
      (file) => {
        const to = writer();
        open(to, 1, file);
        expect(news).toMatchObject([{ kind: 'failed', trouble: 'disk-failed', length: 0 }]);
        expect(news[0]).toMatchObject({ detail: expect.stringContaining('no place under the recording root') });
        expect(fs.existsSync(root)).toBe(false);
      },
    );

    it('never lead out of the root by a symbolic link', () => {
      const outside = join(directory, 'outside');
      fs.mkdirSync(outside);
      fs.mkdirSync(root);
      fs.symlinkSync(outside, join(root, 'live'));
      const to = writer();
      for (const [id, file] of ['live/a.ts', 'live/deep/a.ts'].entries()) open(to, id, file);
      expect(news).toMatchObject([{ kind: 'failed' }, { kind: 'failed' }]);
      expect(news[0]).toMatchObject({ detail: expect.stringContaining('a symbolic link leads there') });
      expect(fs.readdirSync(outside)).toEqual([]);
    });

    it('do not follow a symbolic link in the place of the file', () => {
      const outside = join(directory, 'outside.ts');
      fs.mkdirSync(root);
      fs.symlinkSync(outside, join(root, 'a.ts'));
      const to = writer();
      open(to, 1, 'a.ts');
      append(to, 1, 'one');
      close(to, 1);
      to.sync();
      expect(fs.existsSync(outside)).toBe(false);
      expect(news[0]).toMatchObject({ kind: 'opened', file: 'a-2.ts' });
    });

    it('may pass a symbolic link that stays inside, and the root may be one', () => {
      const real = join(directory, 'real');
      fs.mkdirSync(join(real, 'store'), { recursive: true });
      fs.symlinkSync(real, root);
      fs.symlinkSync('store', join(real, 'live'));
      const to = writer();
      open(to, 1, 'live/a.ts');
      append(to, 1, 'one');
      close(to, 1);
      to.sync();
      expect(fs.readFileSync(join(real, 'store/a.ts'), 'latin1')).toBe('one');
      expect(news[0]).toMatchObject({ kind: 'opened', file: 'live/a.ts' });
    });

    it('of any kind throw nothing, and make nothing outside', () => {
      fs.mkdirSync(root);
      fc.assert(
        fc.property(
          fc.string({ maxLength: 300, unit: fc.constantFrom('.', '/', 'a', '\\', '\0', 'é', '-') }),
          (file) => {
            const to = writer();
            open(to, 1, file);
            close(to, 1);
            to.sync();
            expect(fs.readdirSync(directory)).toEqual(['recordings']);
          },
        ),
      );
    });
  });
});
