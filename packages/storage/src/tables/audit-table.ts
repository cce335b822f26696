import type { AuditEntry, AuditQuery } from '@sluice/core';
import type { Database } from 'better-sqlite3';
import { where, withoutNulls } from './conditions.js';

/** What was done by whom. */
export class AuditTable {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  append(entries: readonly AuditEntry[]): void {
    const insert = this.#database.prepare(
      `INSERT INTO audit (at, actor, ip, action, target, result, detail)
       VALUES (@at, @actor, @ip, @action, @target, @result, @detail)`,
    );
    this.#database.transaction(() => {
      for (const entry of entries) insert.run({ ...entry, ip: entry.ip ?? null, detail: entry.detail ?? null });
    })();
  }

  query({
    from,
    to,
    actor,
    action,
    target,
    ip,
    result,
    before,
    limit,
  }: AuditQuery): (AuditEntry & { readonly id: number })[] {
    const { sql, values } = where([
      ['at >= ?', from],
      ['at < ?', to],
      ['actor = ?', actor],
      action?.endsWith('.') ? ['substr(action, 1, length(?)) = ?', action, action] : ['action = ?', action],
      ['target = ?', target],
      ['ip = ?', ip],
      ['result = ?', result],
      ['id < ?', before],
    ]);
    const rows = this.#database.prepare(`SELECT * FROM audit ${sql} ORDER BY id DESC LIMIT ?`).all(...values, limit);
    return rows.map((row) => withoutNulls<AuditEntry & { id: number }>(row));
  }
}
