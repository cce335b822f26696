import { parseStreamPath, type RecordedFile, type StreamPath } from '@sluice/core';
import { millis } from '@sluice/media';
import BetterSqlite3, { type Database } from 'better-sqlite3';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrate } from '../migrations.js';
import { RecordingTable } from './recording-table.js';

const SHOW = parseStreamPath('live/show');
const OTHER = parseStreamPath('live/other');

const recorded = (id: string, startedAt: number, over: Partial<RecordedFile> = {}): RecordedFile => ({
  id,
  recording: 'r1',
  path: SHOW,
  container: 'mp4',
  file: `live/show/${id}.mp4`,
  state: 'ready',
  startedAt: millis(startedAt),
  duration: 10,
  bytes: 100,
  tracks: [],
  gaps: [],
  isLocal: true,
  ...over,
});

describe('the index of recordings', () => {
  let database: Database;
  let table: RecordingTable;
  beforeEach(() => {
    database = new BetterSqlite3(':memory:');
    migrate(database);
    table = new RecordingTable(database);
  });
  afterEach(() => database.close());

  const ids = (query: Partial<Parameters<RecordingTable['query']>[0]> = {}): string =>
    table
      .query({ order: 'oldest', limit: 100, ...query })
      .map(({ id }) => id)
      .join(' ');

  it('keeps every field, and what is put again replaces what was there', () => {
    const whole = recorded('a', 1000.25, {
      duration: 40.5,
      tracks: [{ kind: 'video', codec: 'h264', codecString: 'avc1.64001f', width: 1280, height: 720 }],
      gaps: [{ at: 3, missing: 7.5, reason: 'encoder-away' }],
      sha256: 'ab'.repeat(32),
      reason: 'why',
      remote: { bucket: 'b', key: 'k', uploadedAt: millis(5) },
      isLocal: false,
    });
    table.put(whole);
    table.put(recorded('b', 1, { bytes: 2 ** 45 }));
    expect(table.get('a')).toEqual(whole);
    const { sha256: _, reason: __, remote: ___, ...plain } = { ...whole, state: 'missing' as const };
    table.put(plain);
    expect(table.get('a')).toEqual(plain);
    expect(table.get('b')?.bytes).toBe(2 ** 45);
    table.delete('a');
    table.delete('never there');
    expect([table.get('a'), ids()]).toEqual([undefined, 'b']);
  });

  it('keeps a file until it is told otherwise, whoever puts what was read before', () => {
    const file = recorded('a', 1);
    table.put(file);
    table.keep('a', true);
    table.put({ ...file, bytes: 7 });
    expect(table.get('a')).toEqual({ ...file, bytes: 7, isKept: true });
    expect(table.query({ order: 'oldest', limit: 1 })[0]?.isKept).toBe(true);
    table.keep('a', false);
    table.keep('nobody', true);
    expect(table.get('a')).toEqual({ ...file, bytes: 7 });
  });

  it('finds what was live in a time, by the live end with its gaps', () => {
    table.put(recorded('a', 0));
    table.put(recorded('b', 10, { gaps: [{ at: 4, missing: 90, reason: 'paused' }] }));
    table.put(recorded('c', 200, { duration: 0 }));
    expect(ids({ from: 10 })).toBe('b c');
    expect(ids({ from: 9.5 })).toBe('a b c');
    expect(ids({ from: 109 })).toBe('b c');
    expect(ids({ from: 110 })).toBe('c');
    expect(ids({ from: 200, to: 201 })).toBe('c');
    expect(ids({ from: 201 })).toBe('');
    expect(ids({ to: 10 })).toBe('a');
    table.put(recorded('d', 50, { duration: 0, state: 'writing' }));
    expect(ids({ from: 5000 })).toBe('d');
    expect(ids({ from: 5000, to: 50 })).toBe('');
  });

  it('sorts and filters, and goes on after any file, also among those that began at once', () => {
    for (const [id, at] of [
      ['c', 5],
      ['a', 5],
      ['b', 5],
      ['d', 9],
      ['e', 1],
    ] as const)
      table.put(recorded(id, at));
    table.put(recorded('x', 5, { path: OTHER, recording: 'r2', state: 'damaged' }));
    expect(ids({ path: SHOW })).toBe('e a b c d');
    expect(ids({ path: SHOW, order: 'newest' })).toBe('d c b a e');
    expect(ids({ path: SHOW, order: 'newest', after: { startedAt: 5, id: 'b' } })).toBe('a e');
    expect(ids({ path: SHOW, after: { startedAt: 5, id: 'a' }, limit: 2 })).toBe('b c');
    table.put(recorded('y', 99, { isLocal: false }));
    expect([ids({ isLocal: false }), ids({ isLocal: true, path: SHOW })]).toEqual(['y', 'e a b c d']);
    expect([ids({ recording: 'r2' }), ids({ state: 'damaged' }), ids({ path: 'no/thing' as StreamPath })]).toEqual([
      'x',
      'x',
      '',
    ]);
  });

  it('says what is there of each path, and in all', () => {
    table.put(recorded('a', 50, { bytes: 1 }));
    table.put(recorded('b', 20, { bytes: 2, gaps: [{ at: 0, missing: 100, reason: 'paused' }] }));
    table.put(recorded('c', 5, { path: OTHER, isLocal: false }));
    table.put(recorded('d', 7, { path: OTHER, state: 'damaged' }));
    expect(table.paths()).toEqual([
      { path: OTHER, files: 2, bytes: 200, first: 5, last: 17 },
      { path: SHOW, files: 2, bytes: 3, first: 20, last: 130 },
    ]);
    expect(table.totals()).toEqual([
      { state: 'damaged', isLocal: true, files: 1, bytes: 100 },
      { state: 'ready', isLocal: false, files: 1, bytes: 100 },
      { state: 'ready', isLocal: true, files: 2, bytes: 3 },
    ]);
  });

  it('turns every page exactly once, and agrees with a plain filter', () => {
    const files = fc.array(
      fc.record({ at: fc.double({ min: 0, max: 30, noNaN: true }), duration: fc.nat(5), missing: fc.nat(5) }),
      { maxLength: 25 },
    );
    const bound = fc.option(fc.nat(40), { nil: undefined });
    fc.assert(
      fc.property(files, bound, bound, fc.constantFrom('oldest', 'newest'), (made, from, to, order) => {
        database.exec('DELETE FROM recordings');
        const all = made.map(({ at, duration, missing }, number) =>
          recorded(`f${number}`, at, { duration, gaps: [{ at: 0, missing, reason: 'paused' }] }),
        );
        for (const file of all) table.put(file);
        const paged: RecordedFile[] = [];
        for (let page: RecordedFile[] = [], last: RecordedFile | undefined; ; ) {
          page = table.query({ from, to, order, after: last, limit: 3 });
          last = page.at(-1);
          if (last === undefined) break;
          paged.push(...page);
        }
        const wanted = all.filter(
          ({ startedAt, duration, gaps: [gap] }) =>
            (to === undefined || startedAt < to) &&
            (from === undefined || startedAt >= from || startedAt + duration + (gap?.missing ?? 0) > from),
        );
        expect(paged.map(({ id }) => id).sort()).toEqual(wanted.map(({ id }) => id).sort());
        const starts = paged.map(({ startedAt }) => startedAt);
        expect(starts).toEqual([...starts].sort((a, b) => (order === 'oldest' ? a - b : b - a)));
      }),
      { numRuns: 200 },
    );
  });
});
