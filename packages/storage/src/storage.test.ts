import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseStreamPath, type RecordedFile, type SessionRecord, silentLogger, type User } from '@sluice/core';
import { millis } from '@sluice/media';
import BetterSqlite3 from 'better-sqlite3';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Storage } from './storage.js';

const user = (over: Partial<User> = {}): User => ({
  id: 'u1',
  name: 'Anna',
  role: 'operator',
  passwordHash: 'scrypt$…',
  publish: ['live/*'],
  play: [],
  createdAt: millis(1),
  tokensValidFrom: millis(2),
  disabled: true,
  ...over,
});

const session = (id: string, closedAt: number, over: Partial<SessionRecord> = {}): SessionRecord => ({
  id,
  action: 'play',
  protocol: 'hls',
  path: 'live/show',
  ip: '::1',
  userAgent: undefined,
  identity: 'anonymous',
  viewer: undefined,
  credential: undefined,
  openedAt: millis(0),
  closedAt: millis(closedAt),
  reason: 'viewer left',
  received: 0,
  sent: 2 ** 40,
  ...over,
});

describe('Storage', () => {
  let dir: string;
  const open: Storage[] = [];
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'sluice-storage-'));
  });
  afterEach(async () => {
    for (const storage of open.splice(0)) await storage.close();
    rmSync(dir, { recursive: true });
  });

  const start = async (where = dir): Promise<Storage> => {
    const storage = await Storage.open({ dir: where, log: silentLogger });
    open.push(storage);
    return storage;
  };
  const restarted = async (storage: Storage): Promise<Storage> => {
    await storage.close();
    return start();
  };

  it('keeps every field of every record over a restart, and what was changed and deleted', async () => {
    const before = await start();
    const key = { id: 'k', hash: 'h', label: 'OBS', action: 'publish', path: 'live/*', createdAt: millis(1) } as const;
    await before.users.put(user());
    await before.users.put(user({ role: 'admin', disabled: false }));
    await before.streamKeys.put({ ...key, expiresAt: millis(9) });
    await before.streamKeys.put({ ...key, id: 'k2', hash: 'h2' });
    await before.streamKeys.delete('k2');
    await before.apiKeys.put({ id: 'a', hash: 'h', label: 'ci', scopes: ['read', 'config'], createdAt: millis(1) });
    const token = { id: 't', hash: 'h', family: 'f', userId: 'u1', createdAt: millis(1), expiresAt: millis(2) };
    await before.refreshTokens.put(token);
    await before.refreshTokens.put({ ...token, usedAt: millis(3) });
    const ban = {
      id: 'b',
      kind: 'ip',
      value: '10.0.0.0/8',
      reason: 'test',
      createdBy: 'me',
      createdAt: millis(1),
    } as const;
    await before.bans.put({ ...ban, path: 'live/*', expiresAt: millis(5) });
    await before.settings.put({ id: 'hls.segments', value: '4', changedBy: 'me', changedAt: millis(1) });
    const after = await restarted(before);
    expect(await after.users.load()).toEqual([user({ role: 'admin', disabled: false })]);
    expect(await after.streamKeys.load()).toEqual([{ ...key, expiresAt: millis(9) }]);
    expect(await after.apiKeys.load()).toEqual([
      { id: 'a', hash: 'h', label: 'ci', scopes: ['read', 'config'], createdAt: 1 },
    ]);
    expect(await after.refreshTokens.load()).toEqual([{ ...token, usedAt: 3 }]);
    expect(await after.bans.load()).toEqual([{ ...ban, path: 'live/*', expiresAt: 5 }]);
    expect(await after.settings.load()).toHaveLength(1);
  });

  it('answers for past sessions, newest first, page by page', async () => {
    const { history } = await start();
    const watched = { viewer: 'anna', userAgent: 'vlc', credential: 'c' };
    await history.append([session('a', 10), session('b', 20, watched), session('c', 30, { path: 'live/other' })]);
    const ids = async (query: object) => (await history.query({ limit: 10, ...query })).map(({ id }) => id);
    expect(await ids({})).toEqual(['c', 'b', 'a']);
    expect(await ids({ limit: 2 })).toEqual(['c', 'b']);
    expect(await ids({ before: millis(20) })).toEqual(['a']);
    expect(await ids({ path: 'live/show', from: millis(15) })).toEqual(['b']);
    expect(await history.query({ viewer: 'anna', limit: 1 })).toEqual([session('b', 20, watched)]);
    expect(await history.prune(millis(25))).toBe(2);
    expect(await ids({})).toEqual(['c']);
  });

  it('answers for the audit log', async () => {
    const { audit } = await start();
    const entry = { actor: 'user:anna', ip: '::1', action: 'ban.add', target: 'b1', result: 'ok' } as const;
    await audit.append([
      { ...entry, at: millis(1) },
      { ...entry, at: millis(2), ip: undefined, detail: 'more' },
    ]);
    const all = await audit.query({ limit: 9 });
    expect(all.map(({ at, detail }) => [at, detail])).toEqual([
      [2, 'more'],
      [1, undefined],
    ]);
    expect(await audit.query({ limit: 9, before: all[0]?.id })).toMatchObject([{ at: 1, ip: '::1' }]);
    expect(await audit.query({ limit: 9, actor: 'user:bert' })).toEqual([]);
    for (const [query, found] of [
      [{ action: 'ban.add' }, 2],
      [{ action: 'ban.' }, 2],
      [{ action: 'ban' }, 0],
      [{ action: 'user.' }, 0],
      [{ ip: '::1' }, 1],
      [{ target: 'b2' }, 0],
      [{ result: 'refused' }, 0],
    ] as const) {
      expect(await audit.query({ limit: 9, ...query }), JSON.stringify(query)).toHaveLength(found);
    }
  });

  it('keeps news in a line for each URL, in which an item that was tried keeps its place', async () => {
    const { outbox } = await start();
    const item = { url: 'http://x/', headers: { a: 'b' }, body: '{}', attempts: 0, nextAt: millis(0) };
    await outbox.put({ ...item, id: '2', createdAt: millis(2) });
    await outbox.put({ ...item, id: '1', createdAt: millis(1) });
    await outbox.put({ ...item, id: '3', createdAt: millis(0), url: 'http://y/' });
    await outbox.put({ ...item, id: '2', createdAt: millis(2), attempts: 1, nextAt: millis(99) });
    expect([...(await outbox.urls())].sort()).toEqual(['http://x/', 'http://y/']);
    expect((await outbox.oldest('http://x/', 9)).map(({ id, attempts, headers }) => [id, attempts, headers])).toEqual([
      ['2', 1, { a: 'b' }],
      ['1', 0, { a: 'b' }],
    ]);
    expect(await outbox.oldest('http://x/', 1)).toHaveLength(1);
    await outbox.delete('2');
    await outbox.delete('3');
    expect(await outbox.urls()).toEqual(['http://x/']);
    expect(await outbox.count()).toBe(1);
  });

  it('answers for recordings', async () => {
    const before = await start();
    const file: RecordedFile = {
      ...{ id: 'f', recording: 'r', path: parseStreamPath('live/show'), container: 'mp4', file: 'live/show/1.mp4' },
      ...{ state: 'ready', startedAt: millis(1), duration: 2, bytes: 3, tracks: [], gaps: [], isLocal: true },
    };
    await before.recordings.put(file);
    await before.recordings.put({ ...file, id: 'g' });
    await before.recordings.delete('g');
    const { recordings } = await restarted(before);
    expect(await recordings.query({ order: 'newest', limit: 9 })).toEqual([file]);
    expect([await recordings.get('f'), await recordings.get('g')]).toEqual([file, undefined]);
    expect(await recordings.paths()).toEqual([{ path: 'live/show', files: 1, bytes: 3, first: 1, last: 3 }]);
    expect(await recordings.totals()).toEqual([{ state: 'ready', isLocal: true, files: 1, bytes: 3 }]);
  });

  it('takes any text for text', async () => {
    const storage = await start();
    const text = fc.string({ unit: 'binary' });
    await fc.assert(
      fc.asyncProperty(text, text, async (value, reason) => {
        // SQLite ends text at a NUL when it is asked for its length, but keeps and returns all of it.
        await storage.bans.put({ id: 'x', kind: 'viewer', value, reason, createdBy: "');--", createdAt: millis(0) });
        const [read] = await storage.bans.load();
        expect([read?.value, read?.reason]).toEqual([value, reason]);
      }),
      { numRuns: 200 },
    );
  });

  it('is readable for its owner only', async () => {
    await start(join(dir, 'new', 'data'));
    expect(statSync(join(dir, 'new', 'data')).mode & 0o777).toBe(0o700);
    expect(statSync(join(dir, 'new', 'data', 'sluice.db')).mode & 0o777).toBe(0o600);
  });

  it('refuses a second server on the same data, and lets it in when the first is gone', async () => {
    const first = await start();
    await expect(start()).rejects.toMatchObject({
      code: 'in-use',
      message: expect.stringContaining('SLUICE_DATA_DIR'),
    });
    await first.close();
    await expect(start()).resolves.toBeDefined();
  });

  it('refuses what a later version has written, and what is no database', async () => {
    const later = new BetterSqlite3(join(dir, 'sluice.db'));
    later.pragma('user_version = 99');
    later.close();
    await expect(start()).rejects.toMatchObject({ code: 'too-new', message: expect.stringContaining('version 99') });
    writeFileSync(join(dir, 'sluice.db'), 'no database at all, but long enough to be taken for one'.repeat(100));
    await expect(start()).rejects.toMatchObject({ code: 'unusable' });
    writeFileSync(join(dir, 'file'), '');
    await expect(start(join(dir, 'file'))).rejects.toMatchObject({ code: 'unusable' });
    expect(readFileSync(join(dir, 'sluice.db'), 'utf8')).toContain('no database');
  });

  it('fails what is asked of it when it is closed', async () => {
    const storage = await start();
    const last = storage.users.put(user());
    await storage.close();
    await expect(last).resolves.toBeUndefined();
    await expect(storage.users.load()).rejects.toMatchObject({ code: 'closed' });
    expect(storage.isOpen).toBe(false);
    await storage.close();
  });

  it('has every put that has resolved, when the process was killed in the middle', async () => {
    const entry = createRequire(import.meta.url).resolve('@sluice/storage');
    const script = `
      import { Storage } from ${JSON.stringify(entry)};
      const log = { debug() {}, info() {}, warn() {}, error() {} };
      const { settings } = await Storage.open({ dir: process.argv[1], log });
      for (let n = 0; ; n++) {
        await settings.put({ id: String(n), value: '1', changedBy: '', changedAt: 0 });
        console.log(n);
      }`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, dir]);
    let last = -1;
    for await (const line of createInterface(child.stdout)) {
      last = Number(line);
      if (last === 50) child.kill('SIGKILL');
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    const { settings } = await start();
    expect((await settings.load()).length).toBeGreaterThan(last);
    expect(last).toBeGreaterThanOrEqual(50);
  });
});
