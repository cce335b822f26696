import type { SessionQuery, SessionRecord } from '@sluice/core';
import type { Database } from 'better-sqlite3';
import { where, withoutNulls } from './conditions.js';

const COLUMNS =
  'id, action, protocol, path, ip, userAgent, identity, viewer, credential, openedAt, closedAt, reason, received, sent';

/** The sessions that are over. */
export class SessionTable {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  append(records: readonly SessionRecord[]): void {
    const values = COLUMNS.split(', ').map((column) => `@${column}`);
    const insert = this.#database.prepare(`INSERT INTO sessions (${COLUMNS}) VALUES (${values.join(', ')})`);
    this.#database.transaction(() => {
      for (const record of records) {
        const { userAgent = null, viewer = null, credential = null } = record;
        insert.run({ ...record, userAgent, viewer, credential });
      }
    })();
  }

  query(query: SessionQuery): SessionRecord[] {
    const { from, to, path, ip, viewer, protocol, action, before, limit } = query;
    const { sql, values } = where([
      ['closedAt >= ?', from],
      ['closedAt < ?', to],
      ['path = ?', path],
      ['ip = ?', ip],
      ['viewer = ?', viewer],
      ['protocol = ?', protocol],
      ['action = ?', action],
      ['closedAt < ?', before],
    ]);
    const rows = this.#database
      .prepare(`SELECT ${COLUMNS} FROM sessions ${sql} ORDER BY closedAt DESC, number DESC LIMIT ?`)
      .all(...values, limit);
    return rows.map((row) => withoutNulls<SessionRecord>(row));
  }

  prune(before: number): number {
    return this.#database.prepare('DELETE FROM sessions WHERE closedAt < ?').run(before).changes;
  }
}
