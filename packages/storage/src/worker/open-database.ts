import { chmodSync } from 'node:fs';
import BetterSqlite3, { type Database } from 'better-sqlite3';
import { StorageError } from '../errors.js';
import { migrate } from '../migrations.js';

/**
 * Opens a database file for this process alone, and brings it to this version.
 *
 * Exclusive locking keeps a second server off the same data, and ends with the process, however that ends. `FULL` makes
 * each commit outlive a power cut; the tables that are written often are written in batches.
 *
 * @throws {StorageError}
 */
export function openDatabase(file: string): Database {
  let database: Database | undefined;
  try {
    database = new BetterSqlite3(file, { timeout: 0 });
    database.pragma('locking_mode = EXCLUSIVE');
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.pragma('foreign_keys = ON');
    migrate(database);
    chmodSync(file, 0o600);
    return database;
  } catch (error) {
    database?.close();
    throw explained(file, error);
  }
}

function explained(file: string, error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  const { code = '', message } = error as { code?: string; message: string };
  if (code.startsWith('SQLITE_BUSY')) {
    return new StorageError(
      'in-use',
      `${file} is in use by another Sluice. Stop that one, or give this one a directory of its own: SLUICE_DATA_DIR=…`,
    );
  }
  if (code.startsWith('SQLITE_NOTADB') || code.startsWith('SQLITE_CORRUPT')) {
    return new StorageError('unusable', `${file} is damaged (${message}). Restore it from a copy, or move it away.`);
  }
  return new StorageError('unusable', `${file} can't be opened: ${message}. data.dir names its directory.`);
}
