import type { Database } from 'better-sqlite3';
import { StorageError } from './errors.js';

/** Each step leads from the version before it to its own: its place in the list, from 1 on. Steps are never changed. */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE users (
     id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE, role TEXT NOT NULL, passwordHash TEXT NOT NULL,
     publish TEXT NOT NULL, play TEXT NOT NULL, createdAt INTEGER NOT NULL, tokensValidFrom INTEGER NOT NULL,
     disabled INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE streamKeys (
     id TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, label TEXT NOT NULL, action TEXT NOT NULL, path TEXT NOT NULL,
     createdAt INTEGER NOT NULL, expiresAt INTEGER
   ) STRICT;
   CREATE TABLE apiKeys (
     id TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, label TEXT NOT NULL, scopes TEXT NOT NULL,
     createdAt INTEGER NOT NULL, expiresAt INTEGER
   ) STRICT;
   CREATE TABLE refreshTokens (
     id TEXT PRIMARY KEY, hash TEXT NOT NULL, family TEXT NOT NULL, userId TEXT NOT NULL, createdAt INTEGER NOT NULL,
     expiresAt INTEGER NOT NULL, usedAt INTEGER
   ) STRICT;
   CREATE TABLE bans (
     id TEXT PRIMARY KEY, kind TEXT NOT NULL, value TEXT NOT NULL, path TEXT, reason TEXT NOT NULL,
     createdBy TEXT NOT NULL, createdAt INTEGER NOT NULL, expiresAt INTEGER
   ) STRICT;
   CREATE TABLE settings (
     id TEXT PRIMARY KEY, value TEXT NOT NULL, changedBy TEXT NOT NULL, changedAt INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE sessions (
     number INTEGER PRIMARY KEY, id TEXT NOT NULL, action TEXT NOT NULL, protocol TEXT NOT NULL, path TEXT NOT NULL,
     ip TEXT NOT NULL, userAgent TEXT, identity TEXT NOT NULL, viewer TEXT, credential TEXT,
     openedAt INTEGER NOT NULL, closedAt INTEGER NOT NULL, reason TEXT NOT NULL, received INTEGER NOT NULL,
     sent INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX sessionsClosedAt ON sessions (closedAt);
   CREATE INDEX sessionsViewer ON sessions (viewer, closedAt);
   CREATE INDEX sessionsPath ON sessions (path, closedAt);
   CREATE TABLE audit (
     id INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, ip TEXT, action TEXT NOT NULL,
     target TEXT NOT NULL, result TEXT NOT NULL, detail TEXT
   ) STRICT;
   CREATE INDEX auditAt ON audit (at);
   CREATE TABLE outbox (
     id TEXT PRIMARY KEY, url TEXT NOT NULL, headers TEXT NOT NULL, body TEXT NOT NULL, createdAt INTEGER NOT NULL,
     attempts INTEGER NOT NULL, nextAt INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX outboxNextAt ON outbox (nextAt);`,
  `DROP INDEX outboxNextAt;
   CREATE INDEX outboxUrl ON outbox (url);`,
  `CREATE TABLE recordings (
     id TEXT PRIMARY KEY, recording TEXT NOT NULL, path TEXT NOT NULL, container TEXT NOT NULL, file TEXT NOT NULL,
     state TEXT NOT NULL, startedAt REAL NOT NULL, endsAt REAL NOT NULL, duration REAL NOT NULL, bytes INTEGER NOT NULL,
     tracks TEXT NOT NULL, gaps TEXT NOT NULL, sha256 TEXT, reason TEXT, remote TEXT, isLocal INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX recordingsPath ON recordings (path, startedAt, endsAt, bytes, isLocal);
   CREATE INDEX recordingsStartedAt ON recordings (startedAt, endsAt, isLocal);
   CREATE INDEX recordingsState ON recordings (state, startedAt);
   CREATE INDEX recordingsRecording ON recordings (recording, startedAt);`,
  `CREATE TABLE uploads (
     id TEXT PRIMARY KEY, bucket TEXT NOT NULL, key TEXT NOT NULL, uploadId TEXT NOT NULL, partBytes INTEGER NOT NULL,
     parts TEXT NOT NULL
   ) STRICT;`,
  'ALTER TABLE recordings ADD COLUMN isKept INTEGER NOT NULL DEFAULT 0;',
];

/**
 * Brings a database to the version of this code, step by step, each in a transaction of its own.
 *
 * @throws {StorageError} `too-new` where a later version has written it
 */
export function migrate(database: Database, migrations: readonly string[] = MIGRATIONS): void {
  const version = Number(database.pragma('user_version', { simple: true }));
  if (version > migrations.length) {
    throw new StorageError(
      'too-new',
      `${database.name} is of version ${version}, and this Sluice knows versions up to ${migrations.length}. Run the later Sluice, or point data.dir elsewhere.`,
    );
  }
  migrations.slice(version).forEach((statements, step) => {
    database.transaction(() => {
      database.exec(statements);
      database.pragma(`user_version = ${version + step + 1}`);
    })();
  });
}
