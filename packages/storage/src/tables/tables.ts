import type { ApiKey, Ban, RefreshToken, SettingRecord, StreamKey, User } from '@sluice/core';
import type { Database } from 'better-sqlite3';
import type { UploadProgress } from '../object-store/upload-progress.js';
import { AuditTable } from './audit-table.js';
import { OutboxTable } from './outbox-table.js';
import { RecordingTable } from './recording-table.js';
import { RecordTable } from './records.js';
import { SessionTable } from './session-table.js';

/** All tables of a database, by the names under which they are called. */
export function makeTables(database: Database) {
  return {
    users: new RecordTable<User>(database, 'users', {
      id: 'plain',
      name: 'plain',
      role: 'plain',
      passwordHash: 'plain',
      publish: 'json',
      play: 'json',
      createdAt: 'plain',
      tokensValidFrom: 'plain',
      disabled: 'boolean',
    }),
    streamKeys: new RecordTable<StreamKey>(database, 'streamKeys', {
      id: 'plain',
      hash: 'plain',
      label: 'plain',
      action: 'plain',
      path: 'plain',
      createdAt: 'plain',
      expiresAt: 'plain',
    }),
    apiKeys: new RecordTable<ApiKey>(database, 'apiKeys', {
      id: 'plain',
      hash: 'plain',
      label: 'plain',
      scopes: 'json',
      createdAt: 'plain',
      expiresAt: 'plain',
    }),
    refreshTokens: new RecordTable<RefreshToken>(database, 'refreshTokens', {
      id: 'plain',
      hash: 'plain',
      family: 'plain',
      userId: 'plain',
      createdAt: 'plain',
      expiresAt: 'plain',
      usedAt: 'plain',
    }),
    bans: new RecordTable<Ban>(database, 'bans', {
      id: 'plain',
      kind: 'plain',
      value: 'plain',
      path: 'plain',
      reason: 'plain',
      createdBy: 'plain',
      createdAt: 'plain',
      expiresAt: 'plain',
    }),
    settings: new RecordTable<SettingRecord>(database, 'settings', {
      id: 'plain',
      value: 'plain',
      changedBy: 'plain',
      changedAt: 'plain',
    }),
    uploads: new RecordTable<UploadProgress>(database, 'uploads', {
      id: 'plain',
      bucket: 'plain',
      key: 'plain',
      uploadId: 'plain',
      partBytes: 'plain',
      parts: 'json',
    }),
    history: new SessionTable(database),
    audit: new AuditTable(database),
    outbox: new OutboxTable(database),
    recordings: new RecordingTable(database),
  };
}

export type Tables = ReturnType<typeof makeTables>;
