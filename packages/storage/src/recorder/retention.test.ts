import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  EventBus,
  type LifecycleEvents,
  parseStreamPath,
  type RecordedFile,
  Refusal,
  silentLogger,
} from '@sluice/core';
import { millis } from '@sluice/media';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../../../test/support/until.js';
import { ObjectStoreError } from '../object-store/errors.js';
import { Storage } from '../storage.js';
import { RecordingDisk } from './disk/recording-disk.js';
import { RecordingRemover } from './recording-remover.js';
import { Retention } from './retention.js';

const SHOW = parseStreamPath('live/show');
const OTHER = parseStreamPath('live/other');
const REMOTE = { bucket: 'b', key: 'k', uploadedAt: millis(0) };
const ENOUGH = 2 ** 40;

describe('what is kept of recordings', () => {
  let dir: string;
  let root: string;
  let storage: Storage;
  let dataDir: string;
  const events = new EventBus(silentLogger);
  const removed: LifecycleEvents['recording-file-removed'][] = [];
  const removedRemote: string[] = [];
  const errors: unknown[] = [];
  const fault: { remote: Error | undefined } = { remote: undefined };
  const open: (() => Promise<void> | void)[] = [];
  const set = { keepSeconds: 0, keepBytes: 0, keepFreeBytes: 0, areUploaded: false, now: 0, free: ENOUGH };

  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'sluice-retention-'));
    storage = await Storage.open({ dir: dataDir, log: silentLogger });
  });
  afterAll(async () => {
    await storage.close();
    rmSync(dataDir, { recursive: true });
  });
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'sluice-retention-'));
    root = join(dir, 'recordings');
    mkdirSync(root);
    Object.assign(set, { keepSeconds: 0, keepBytes: 0, keepFreeBytes: 0, areUploaded: false, now: 0, free: ENOUGH });
    removed.length = removedRemote.length = errors.length = 0;
    open.push(events.on('recording-file-removed', (event) => removed.push(event)));
  });
  afterEach(async () => {
    for (const close of open.splice(0)) await close();
    for (const { id } of await storage.recordings.query({ order: 'oldest', limit: 100 })) {
      await storage.recordings.delete(id);
    }
    rmSync(dir, { recursive: true });
  });

  const started = (hasStore = true) => {
    const index = storage.recordings;
    const removeRemote = async ({ id }: RecordedFile) => {
      if (fault.remote !== undefined) throw fault.remote;
      removedRemote.push(id);
    };
    const disk = RecordingDisk.start({ root, maxWaitingBytes: () => 1000, log: silentLogger });
    const remover = new RecordingRemover({ index, disk, events, removeRemote: hasStore ? removeRemote : undefined });
    const retention = new Retention({
      index,
      remover,
      events,
      settings: () => set,
      settingsFor: (path) => (path === OTHER ? { keepSeconds: 0, keepBytes: 0 } : set),
      now: () => set.now,
      disk: { space: async () => ({ total: ENOUGH, free: set.free }) },
      log: { ...silentLogger, error: (fields) => errors.push(fields), warn: (fields) => errors.push(fields) },
    });
    open.push(
      () => retention.close(),
      () => disk.close(),
    );
    return { index, remover, retention };
  };

  /** A file of a second and 100 bytes, on the disk and in the index. */
  const recorded = async (id: string, startedAt: number, over: Partial<RecordedFile> = {}): Promise<RecordedFile> => {
    const file: RecordedFile = {
      ...{ id, recording: 'r', path: SHOW, container: 'mp4', file: `live/show/${startedAt}/${id}.mp4`, state: 'ready' },
      ...{ startedAt: millis(startedAt), duration: 1000, bytes: 100, tracks: [], gaps: [], isLocal: true },
      ...over,
    };
    if (file.isLocal && file.state !== 'missing') {
      mkdirSync(dirname(join(root, file.file)), { recursive: true });
      writeFileSync(join(root, file.file), Buffer.alloc(file.bytes));
    }
    await storage.recordings.put(file);
    return file;
  };
  const left = async () =>
    (await storage.recordings.query({ order: 'oldest', limit: 1000 })).map(({ id, isLocal }) =>
      isLocal ? id : `(${id})`,
    );
  const onDisk = () => readdirSync(root, { recursive: true, withFileTypes: true }).map(({ name }) => name);

  it('removes what is too old, by its live end, with the folders that are empty then', async () => {
    const { retention } = started();
    await recorded('a', 1000);
    await recorded('b', 1000, { file: 'live/show/b.mp4', gaps: [{ at: 1, missing: 1, reason: 'paused' }] });
    await recorded('c', 1000, { path: OTHER, file: 'live/other/c.mp4' });
    await recorded('d', 0, { state: 'writing', file: 'live/show/d.mp4' });
    Object.assign(set, { keepSeconds: 60, now: 61_999 });
    await retention.run();
    expect(await left()).toEqual(['d', 'a', 'b', 'c']);
    set.now = 62_000;
    await retention.run();
    expect(await left()).toEqual(['d', 'b', 'c']);
    expect(removed).toMatchObject([{ file: { id: 'a' }, reason: 'age' }]);
    expect(onDisk().sort()).toEqual(['b.mp4', 'c.mp4', 'd.mp4', 'live', 'other', 'show']);
    set.now = 1e9;
    await retention.run();
    expect(await left()).toEqual(['d', 'c']);
    expect(errors).toEqual([]);
  });

  it('leaves what somebody keeps, on this disk or in the object store, until it need not be kept', async () => {
    const { remover, retention } = started();
    await recorded('a', 0);
    await recorded('b', 0, { file: 'live/show/b.mp4', remote: REMOTE });
    for (const id of ['a', 'b']) await storage.recordings.keep(id, true);
    expect(await remover.remove('a')).toBe('kept');
    Object.assign(set, { keepSeconds: 1, now: 1e9 });
    await retention.run();
    expect(await left()).toEqual(['a', 'b']);
    Object.assign(set, { keepSeconds: 0, keepBytes: 1 });
    await retention.run();
    expect(await left()).toEqual(['a', '(b)']);
    await storage.recordings.keep('a', false);
    await retention.run();
    expect([await left(), removedRemote]).toEqual([['(b)'], []]);
  });

  it('forgets files that are damaged or missing when they are old', async () => {
    const { retention } = started();
    await recorded('a', 0, { state: 'damaged' });
    await recorded('b', 1, { state: 'missing', isLocal: false });
    await recorded('c', 2, { state: 'missing', isLocal: true });
    Object.assign(set, { keepSeconds: 1, now: 1e6, areUploaded: true });
    await retention.run();
    expect([await left(), onDisk(), errors]).toEqual([[], [], []]);
  });

  it('removes the oldest of a path with too many bytes, and no more than it has to', async () => {
    const { retention } = started();
    for (let n = 0; n < 6; n++) await recorded(`f${n}`, n * 1000);
    await recorded('other', 0, { path: OTHER });
    set.keepBytes = 350;
    await retention.run();
    expect(await left()).toEqual(['other', 'f3', 'f4', 'f5']);
    expect(removed.map(({ reason }) => reason)).toEqual(['path-full', 'path-full', 'path-full']);
    await retention.run();
    expect(removed).toHaveLength(3);
  });

  it('makes room on the disk by the oldest of all paths, asking the disk once', async () => {
    const { retention } = started();
    await recorded('w', 0, { state: 'writing' });
    await recorded('a', 1);
    await recorded('b', 2, { path: OTHER });
    await recorded('c', 3);
    Object.assign(set, { keepFreeBytes: 1000, free: 850 });
    await retention.run();
    expect(await left()).toEqual(['w', 'c']);
    expect(removed.map(({ file, reason }) => [file.id, reason])).toEqual([
      ['a', 'disk-full'],
      ['b', 'disk-full'],
    ]);
    set.free = 0;
    await retention.run();
    await retention.run();
    expect(await left()).toEqual(['w']);
    expect(errors, 'it is said once that nothing more can be done').toHaveLength(1);
  });

  it('keeps the entries of files that are away when it makes room: their disk may come back', async () => {
    const { index, retention } = started();
    await recorded('a', 0);
    await recorded('b', 1000);
    await recorded('c', 2000);
    rmSync(join(root, 'live/show/0'), { recursive: true });
    set.keepBytes = 200;
    await retention.run();
    expect(await left()).toEqual(['(a)', 'b', 'c']);
    expect(errors).toHaveLength(1);
    expect([await index.get('a'), removed]).toMatchObject([{ state: 'missing', reason: expect.any(String) }, []]);
    rmSync(join(root, 'live'), { recursive: true });
    Object.assign(set, { keepFreeBytes: 1000, free: 950 });
    await retention.run();
    expect(await left()).toEqual(['(a)', '(b)', '(c)']);
  });

  it('leaves what waits for its upload, and what the object store has when only this disk is full', async () => {
    const { retention } = started();
    Object.assign(set, { areUploaded: true, keepBytes: 1, keepSeconds: 1, now: 1500 });
    await recorded('a', 0);
    await recorded('b', 1000, { remote: REMOTE });
    await retention.run();
    expect(await left()).toEqual(['a', '(b)']);
    expect(onDisk()).not.toContain('b.mp4');
    expect(removed).toMatchObject([{ file: { id: 'b', isLocal: false }, reason: 'path-full' }]);
    set.now = 1e6;
    await retention.run();
    expect([await left(), removedRemote]).toEqual([['a'], ['b']]);
    set.areUploaded = false;
    await retention.run();
    expect(await left()).toEqual([]);
  });

  it('keeps the entry of a copy in a store that is not configured any more', async () => {
    const { retention, remover } = started(false);
    Object.assign(set, { keepSeconds: 1, now: 1e6 });
    await recorded('a', 0, { remote: REMOTE });
    await retention.run();
    await retention.run();
    expect([await left(), removed.length]).toEqual([['(a)'], 1]);
    expect(await remover.remove('a')).toBe('remote-stays');
  });

  it('runs after each finished file, and goes on when one cannot be removed', async () => {
    started();
    Object.assign(set, { keepSeconds: 1, now: 1e6 });
    mkdirSync(join(root, 'live/show/folder.mp4'), { recursive: true });
    await recorded('a', 0, { file: 'live/show/folder.mp4', state: 'missing' });
    const b = await recorded('b', 1);
    events.emit('recording-file-ready', { file: b });
    await until('it is removed', async () => (await left()).join() === 'a');
    expect(errors).toHaveLength(1);
  });

  it('removes when asked, but not what is being written', async () => {
    const { remover } = started();
    await recorded('a', 0);
    await recorded('w', 0, { state: 'writing' });
    expect(await Promise.all(['a', 'w', 'nobody'].map((id) => remover.remove(id)))).toEqual([
      'removed',
      'being-written',
      'unknown',
    ]);
    expect([await left(), removed.map(({ reason }) => reason)]).toEqual([['w'], ['asked']]);
  });

  it('removes a file once, whoever asks at the same time, and brings none back', async () => {
    const { index, remover } = started();
    const damaged: unknown[] = [];
    open.push(events.on('recording-file-damaged', (event) => damaged.push(event)));
    for (const [id, over] of [
      ['a', {}],
      ['b', { remote: REMOTE }],
    ] as const) {
      const file = await recorded(id, 1000, over);
      await Promise.all([
        remover.remove(id),
        remover.removeHere(file, 'path-full'),
        remover.removeEverywhere(file, 'age'),
        remover.removeHere(file, 'disk-full'),
      ]);
      expect(await index.get(id)).toBeUndefined();
      // Retention looks through pages of entries that are old by the time it comes to the last of them.
      expect(await remover.removeHere(file, 'disk-full')).toBe(false);
      expect(await remover.removeEverywhere(file, 'age')).toBe(false);
      expect(await index.get(id)).toBeUndefined();
    }
    const moved = await recorded('c', 1000, { remote: REMOTE });
    await Promise.all([remover.removeHere(moved, 'moved'), remover.removeHere(moved, 'path-full')]);
    expect(await left()).toEqual(['(c)']);
    expect(removed.map(({ file: { id }, reason }) => `${id} ${reason}`)).toEqual(['a asked', 'b asked', 'c moved']);
    expect(damaged).toEqual([]);
  });

  it('says why a file stays that cannot be removed now', async () => {
    const { remover } = started();
    await recorded('a', 0, { remote: REMOTE });
    fault.remote = new ObjectStoreError('unreachable', 'The object store does not answer.');
    await expect(remover.remove('a')).rejects.toMatchObject({
      constructor: Refusal,
      code: 'unavailable',
      message: 'recorded file a stays: The object store does not answer.',
    });
    fault.remote = undefined;
    expect([await left(), onDisk()]).toEqual([['a'], expect.arrayContaining(['a.mp4'])]);
    expect(await remover.remove('a')).toBe('removed');
  });

  it('never removes anything outside of the root, whatever the index says', async () => {
    const { index, remover } = started();
    mkdirSync(join(dir, 'outside'));
    writeFileSync(join(dir, 'outside/x.mp4'), 'x');
    symlinkSync(join(dir, 'outside'), join(root, 'link'));
    symlinkSync(join(dir, 'outside/x.mp4'), join(root, 'file.mp4'));
    const file = await recorded('a', 0);
    for (const bad of ['../outside/x.mp4', 'link/x.mp4', '/etc/hostname', 'a//b', 'a\\b', './x', 'a\0', 'file.mp4']) {
      await index.put({ ...file, file: bad });
      await expect(remover.remove('a'), bad).rejects.toMatchObject({ code: 'bad-name' });
    }
    expect(existsSync(join(dir, 'outside/x.mp4'))).toBe(true);
    await index.put({ ...file, file: 'file.mp4/below/x.mp4' });
    expect(await remover.remove('a')).toBe('removed');
  });
});
