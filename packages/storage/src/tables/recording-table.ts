import {
  liveEndOf,
  type RecordedFile,
  type RecordedFileQuery,
  type RecordedPath,
  type RecordingTotal,
} from '@sluice/core';
import type { Database } from 'better-sqlite3';
import { where, withoutNulls } from './conditions.js';

/** JSON and 0 or 1 in place of what a column can't hold. */
type Row = Omit<RecordedFile, 'tracks' | 'gaps' | 'remote' | 'isLocal' | 'isKept'> & {
  readonly tracks: string;
  readonly gaps: string;
  readonly remote?: string;
  readonly isLocal: 0 | 1;
  readonly isKept: 0 | 1;
};

const COLUMNS =
  'id, recording, path, container, file, state, startedAt, duration, bytes, tracks, gaps, sha256, reason, remote, isLocal';
/** What `put` doesn't write: those who put a file may have read it before it was kept. */
const READ_COLUMNS = `${COLUMNS}, isKept`;

/** What is recorded, by file. `endsAt`, the live end, is computed, so that a question about a time can go by an index. */
export class RecordingTable {
  readonly #database: Database;
  readonly #put: (row: Record<string, unknown>) => void;

  constructor(database: Database) {
    this.#database = database;
    const columns = [...COLUMNS.split(', '), 'endsAt'];
    const changes = columns.filter((column) => column !== 'id').map((column) => `${column} = excluded.${column}`);
    const put = database.prepare(
      `INSERT INTO recordings (${columns.join(', ')}) VALUES (${columns.map((column) => `@${column}`).join(', ')})
       ON CONFLICT (id) DO UPDATE SET ${changes.join(', ')}`,
    );
    this.#put = (row) => void put.run(row);
  }

  put(file: RecordedFile): void {
    const { tracks, gaps, sha256 = null, reason = null, remote, isLocal, isKept: _kept, ...rest } = file;
    this.#put({
      ...rest,
      tracks: JSON.stringify(tracks),
      gaps: JSON.stringify(gaps),
      sha256,
      reason,
      remote: remote === undefined ? null : JSON.stringify(remote),
      isLocal: Number(isLocal),
      endsAt: liveEndOf(file),
    });
  }

  delete(id: string): void {
    this.#database.prepare('DELETE FROM recordings WHERE id = ?').run(id);
  }

  keep(id: string, isKept: boolean): void {
    this.#database.prepare('UPDATE recordings SET isKept = ? WHERE id = ?').run(Number(isKept), id);
  }

  get(id: string): RecordedFile | undefined {
    const row = this.#database.prepare(`SELECT ${READ_COLUMNS} FROM recordings WHERE id = ?`).get(id);
    return row === undefined ? undefined : fileOf(row);
  }

  /** A file that grows has no end yet, and may hold any time after its start. */
  query({ path, recording, state, isLocal, from, to, order, after, limit }: RecordedFileQuery): RecordedFile[] {
    const [direction, beyond] = order === 'oldest' ? (['ASC', '>'] as const) : (['DESC', '<'] as const);
    const { sql, values } = where([
      ['path = ?', path],
      ['recording = ?', recording],
      ['state = ?', state],
      ['isLocal = ?', isLocal === undefined ? undefined : Number(isLocal)],
      [`(endsAt > ? OR startedAt >= ? OR state = 'writing')`, from, from],
      ['startedAt < ?', to],
      [`(startedAt, id) ${beyond} (?, ?)`, after?.startedAt, after?.id],
    ]);
    return this.#database
      .prepare(`SELECT ${READ_COLUMNS} FROM recordings ${sql} ORDER BY startedAt ${direction}, id ${direction} LIMIT ?`)
      .all(...values, limit)
      .map(fileOf);
  }

  paths(): RecordedPath[] {
    return this.#database
      .prepare(
        `SELECT path, count(*) AS files, sum(bytes) AS bytes, min(startedAt) AS first, max(endsAt) AS last
         FROM recordings GROUP BY path ORDER BY path`,
      )
      .all() as RecordedPath[];
  }

  totals(): RecordingTotal[] {
    const rows = this.#database
      .prepare('SELECT state, isLocal, count(*) AS files, sum(bytes) AS bytes FROM recordings GROUP BY state, isLocal')
      .all() as (Omit<RecordingTotal, 'isLocal'> & { isLocal: 0 | 1 })[];
    return rows.map((row) => ({ ...row, isLocal: row.isLocal === 1 }));
  }
}

function fileOf(columns: unknown): RecordedFile {
  const { tracks, gaps, remote, isLocal, isKept, ...rest } = withoutNulls<Row>(columns);
  return {
    ...rest,
    tracks: JSON.parse(tracks) as RecordedFile['tracks'],
    gaps: JSON.parse(gaps) as RecordedFile['gaps'],
    ...(remote === undefined ? {} : { remote: JSON.parse(remote) as RecordedFile['remote'] }),
    isLocal: isLocal === 1,
    ...(isKept === 1 ? { isKept: true } : {}),
  };
}
