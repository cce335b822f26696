import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  EventBus,
  loadConfig,
  parseStreamPath,
  type RecordedFile,
  type RecordingCheckRun,
  silentLogger,
} from '@sluice/core';
import { millis } from '@sluice/media';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ffmpeg, ffprobe, testPicture } from '../../../../test/support/ffmpeg.js';
import { until } from '../../../../test/support/until.js';
import { Storage } from '../storage.js';
import { RecordingDisk } from './disk/recording-disk.js';
import { RecordingChecker } from './recording-checker.js';

const SHOW = parseStreamPath('live/show');
const REMOTE = { bucket: 'b', key: 'k', uploadedAt: millis(0) };

describe('the check of recordings', () => {
  let dir: string;
  let root: string;
  let storage: Storage;
  let disk: RecordingDisk;
  let checker: RecordingChecker;
  let clip: Buffer;
  /** Bytes of whole packets in the first half of the clip, and a little more. */
  let [whole, half] = [0, 0];
  const inWork = new Set<string>();
  const events = new EventBus(silentLogger);
  const told: string[] = [];
  events.on('recording-file-ready', ({ file: { id } }) => told.push(`ready ${id}`));
  events.on('recording-file-damaged', ({ file: { id } }) => told.push(`damaged ${id}`));

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'sluice-check-'));
    storage = await Storage.open({ dir, log: silentLogger });
    const made = join(dir, 'made.ts');
    await ffmpeg([...testPicture({ seconds: 2 }), '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', made]);
    clip = readFileSync(made);
    whole = 188 * Math.floor(clip.length / 376);
    half = whole + 100;
  });
  afterAll(async () => {
    await storage.close();
    rmSync(dir, { recursive: true });
  });
  beforeEach(() => {
    root = mkdtempSync(join(dir, 'root-'));
    disk = RecordingDisk.start({ root, maxWaitingBytes: () => 1000, log: silentLogger });
    const isInWork = ({ file }: { file: string }) => inWork.has(file);
    const config = loadConfig({});
    checker = new RecordingChecker({
      ...{ index: storage.recordings, disk, events, isInWork },
      now: () => 1_000_000,
      config: () => config,
    });
    inWork.clear();
    told.length = 0;
  });
  afterEach(async () => {
    await checker.close();
    await disk.close();
    for (const { id } of await storage.recordings.query({ order: 'oldest', limit: 100 })) {
      await storage.recordings.delete(id);
    }
  });

  const place = (file: string) => join(root, file);
  const write = (file: string, bytes: Buffer = clip) => {
    mkdirSync(dirname(place(file)), { recursive: true });
    writeFileSync(place(file), bytes);
  };
  /** A file as it was finished, on the disk and in the index. */
  const recorded = async (id: string, over: Partial<RecordedFile> = {}): Promise<RecordedFile> => {
    const file: RecordedFile = {
      ...{ id, recording: 'r', path: SHOW, container: 'ts', file: `live/show/${id}.ts`, state: 'ready', isLocal: true },
      ...{ startedAt: millis(1000), duration: 2000, bytes: clip.length, tracks: [], gaps: [] },
      sha256: createHash('sha256').update(clip).digest('hex'),
      ...over,
    };
    write(file.file);
    await storage.recordings.put(file);
    return file;
  };
  const check = async (options: { repair?: boolean; checksums?: boolean } = {}): Promise<RecordingCheckRun> => {
    const begun = checker.begin({ repair: false, checksums: false, ...options });
    expect(begun).toMatchObject({ endedAt: undefined, files: 0 });
    await checker.whenDone();
    const { last } = checker;
    if (last === undefined) throw new Error('there was no check');
    expect(last.endedAt).toBe(1_000_000);
    return last;
  };
  const faults = async (options: { repair?: boolean; checksums?: boolean } = {}): Promise<string[]> => {
    const { findings, failure } = await check(options);
    expect(failure).toBeUndefined();
    return findings
      .map(({ fault, id, file, repaired }) => `${fault} ${id ?? file}${repaired ? ' repaired' : ''}`)
      .sort();
  };
  const entry = async (id: string): Promise<string> => {
    const found = await storage.recordings.get(id);
    return found === undefined ? 'none' : `${found.state}${found.isLocal ? '' : ' elsewhere'}`;
  };

  it('finds nothing where all is well, and counts what it looked at', async () => {
    await recorded('a');
    await recorded('b', { isLocal: false, remote: REMOTE, file: 'live/show/elsewhere.ts' });
    rmSync(place('live/show/elsewhere.ts'));
    write('readme.txt');
    const run = await check({ checksums: true, repair: true });
    expect(run).toMatchObject({ files: 2, bytes: clip.length, findings: [], failure: undefined, unlisted: 0 });
    expect(told).toEqual([]);
  });

  it('marks what is missing, and takes it back when it is there again', async () => {
    const a = await recorded('a');
    await recorded('b');
    await recorded('c', { remote: REMOTE });
    renameSync(place(a.file), join(dir, 'away'));
    rmSync(place('live/show/c.ts'));
    expect(await faults()).toEqual(['missing a', 'only-remote c']);
    expect([await entry('a'), await entry('c'), told]).toEqual(['missing elsewhere', 'ready elsewhere', ['damaged a']]);
    expect(await faults(), 'once is enough').toEqual([]);
    renameSync(join(dir, 'away'), place(a.file));
    expect(await faults()).toEqual(['found a repaired']);
    expect([await entry('a'), (await storage.recordings.get('a'))?.reason]).toEqual(['ready', undefined]);
  });

  it('finds another size, and repairs what can be played of it', async () => {
    const { file } = await recorded('a');
    truncateSync(place(file), half);
    const { findings } = await check();
    expect(findings).toMatchObject([
      { fault: 'size', detail: `it has ${half} bytes, and had ${clip.length} when it was finished`, repaired: false },
    ]);
    expect([await entry('a'), told]).toEqual(['damaged', ['damaged a']]);
    expect(await faults()).toEqual(['damaged a']);
    expect(await faults({ repair: true })).toEqual(['damaged a repaired']);
    const repaired = await storage.recordings.get('a');
    expect(repaired).toMatchObject({ state: 'ready', bytes: whole });
    expect(repaired?.duration).toBeLessThan(2000);
    expect(told).toEqual(['damaged a', 'ready a']);
    expect((await ffprobe(place(file))).packets.length).toBeGreaterThan(5);
    expect(await faults({ checksums: true })).toEqual([]);
  });

  it('finds bytes that have changed, and does not make them good by a new checksum', async () => {
    const { file } = await recorded('a');
    const bytes = Buffer.from(clip);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    write(file, bytes);
    expect(await faults()).toEqual([]);
    expect(await faults({ checksums: true, repair: true })).toEqual(['checksum a']);
    expect(await faults({ checksums: true, repair: true })).toEqual(['damaged a']);
    expect(await entry('a')).toBe('damaged');
    write(file);
    expect(await faults()).toEqual(['found a repaired']);
  });

  it('finishes what a crash left, and leaves alone what is being written', async () => {
    const crashed = await recorded('a', {
      state: 'writing',
      sha256: undefined,
      bytes: 0,
      duration: 0,
      reason: 'without x',
    });
    truncateSync(place(crashed.file), half);
    const { file } = await recorded('w', { state: 'writing' });
    inWork.add(file);
    inWork.add('live/show/2026-01-01/01-02-03.ts');
    write('live/show/2026-01-01/01-02-03.ts');
    expect(await faults()).toEqual(['unfinished a']);
    expect(await faults({ repair: true })).toEqual(['unfinished a repaired']);
    expect(await storage.recordings.get('a')).toMatchObject({ state: 'ready', bytes: whole, reason: 'without x' });
    expect(await entry('w')).toBe('writing');
  });

  it('takes up what a crash left on a disk that was away at the start', async () => {
    await recorded('a', { state: 'missing', isLocal: false, sha256: undefined, bytes: 0, reason: 'it was away' });
    expect(await faults()).toEqual(['unfinished a']);
    // The next start finishes it.
    expect(await entry('a')).toBe('writing');
    expect(await faults({ repair: true })).toEqual(['unfinished a repaired']);
    expect(await entry('a')).toBe('ready');
  });

  it('does not take for unknown what was begun and finished while it looked', async () => {
    write('live/show/2026-11-21/10-00-00.ts');
    const { query } = storage.recordings;
    let isFirst = true;
    storage.recordings.query = async (asked) => {
      const found = await query(asked);
      if (isFirst) await recorded('b', { file: 'live/show/2026-11-21/10-00-00.ts' });
      isFirst = false;
      return found;
    };
    try {
      expect(await faults({ repair: true })).toEqual([]);
    } finally {
      storage.recordings.query = query;
    }
    expect(await storage.recordings.query({ order: 'oldest', limit: 9 })).toHaveLength(1);
  });

  it('says why a file cannot be repaired, and keeps it', async () => {
    const { file } = await recorded('a', { state: 'writing', sha256: undefined });
    write(file, Buffer.alloc(1000));
    const { findings } = await check({ repair: true });
    expect(findings).toMatchObject([{ fault: 'unfinished', repaired: false }]);
    expect(findings[0]?.detail).toContain('could not be repaired');
    expect(readFileSync(place(file))).toHaveLength(1000);
  });

  it('indexes what it does not know, where the name tells what it is', async () => {
    await recorded('a');
    write('live/show/2026-11-21/10-20-30-2.ts', clip.subarray(0, half));
    write('other.ts');
    write('live/show/thumbnail.jpg');
    expect(await faults()).toEqual(['unknown live/show/2026-11-21/10-20-30-2.ts', 'unknown other.ts']);
    const { findings } = await check({ repair: true });
    expect(findings.map(({ repaired }) => repaired).sort()).toEqual([false, true]);
    const id = findings.find(({ repaired }) => repaired)?.id ?? '';
    expect(await storage.recordings.get(id)).toMatchObject({
      ...{ path: 'live/show', container: 'ts', state: 'ready', bytes: whole },
      startedAt: Date.UTC(2026, 10, 21, 10, 20, 30),
    });
    expect(await faults()).toEqual(['unknown other.ts']);
  });

  it('changes nothing where the folder is empty: its disk may not be mounted', async () => {
    await recorded('a');
    renameSync(root, join(dir, 'unmounted'));
    mkdirSync(root);
    const run = await check({ repair: true });
    expect(run).toMatchObject({ failure: expect.stringContaining('mounted'), findings: [] });
    expect(await entry('a')).toBe('ready');
  });

  it('tells of one file that cannot be looked at, and goes on', async () => {
    await recorded('a');
    await recorded('b');
    rmSync(place('live/show/b.ts'));
    await storage.recordings.put({ ...(await recorded('c')), file: '../c.ts' });
    rmSync(place('live/show/c.ts'));
    expect(await faults()).toEqual(['missing b', 'unreadable c']);
  });

  it('ends in the middle of a file when the disk is closed', async () => {
    const { file } = await recorded('a', { bytes: 2 ** 36 });
    truncateSync(place(file), 2 ** 36);
    const others = [recorded('b'), recorded('c')];
    await Promise.all(others);
    checker.begin({ repair: false, checksums: true });
    await until('it is at it', () => checker.last?.files === 1);
    const closed = checker.close();
    await disk.close();
    await closed;
    expect(checker.last).toMatchObject({ findings: [], failure: expect.stringContaining('was ended') });
    expect(await entry('a')).toBe('ready');
  });

  it('does one check at a time, and ends with the server', async () => {
    for (let n = 0; n < 20; n++) await recorded(`f${n}`);
    expect(checker.begin({ repair: false, checksums: true })).toBeDefined();
    expect(checker.begin({ repair: false, checksums: true })).toBeUndefined();
    await checker.close();
    expect(checker.last?.failure).toContain('was ended');
    expect(checker.begin({ repair: false, checksums: true })).toBeUndefined();
  });
});
