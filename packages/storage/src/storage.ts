import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Worker } from 'node:worker_threads';
import type {
  ApiKey,
  AuditLog,
  Ban,
  Logger,
  Outbox,
  RecordingIndex,
  RecordingTotals,
  RecordStore,
  RefreshToken,
  SessionHistory,
  SettingRecord,
  StreamKey,
  User,
} from '@sluice/core';
import { StorageError } from './errors.js';
import type { UploadProgress } from './object-store/upload-progress.js';
import type { Tables } from './tables/tables.js';
import { type Answer, CLOSE } from './worker/protocol.js';
import { startThread } from './worker/start-thread.js';

const FILE = 'sluice.db';
/** Calls that the disk hasn't followed yet; more would only fill memory. */
const MAX_IN_FLIGHT = 20_000;

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: StorageError) => void;
}

/**
 * What outlives a restart: an SQLite database in a thread of its own, so that no stream ever waits for a disk. A `put`
 * that has resolved is on the disk.
 */
export class Storage {
  readonly users: RecordStore<User>;
  readonly streamKeys: RecordStore<StreamKey>;
  readonly apiKeys: RecordStore<ApiKey>;
  readonly refreshTokens: RecordStore<RefreshToken>;
  readonly bans: RecordStore<Ban>;
  readonly settings: RecordStore<SettingRecord>;
  readonly uploads: RecordStore<UploadProgress>;
  readonly history: SessionHistory;
  readonly audit: AuditLog;
  readonly outbox: Outbox;
  readonly recordings: RecordingIndex & RecordingTotals;
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;
  #isClosed = false;

  private constructor(worker: Worker, log: Logger) {
    this.#worker = worker;
    this.#exited = new Promise((done) => {
      worker.once('exit', (code) => {
        if (!this.#isClosed) log.error({ code }, 'the database thread has ended: nothing more can be kept');
        this.#isClosed = true;
        this.#failAll();
        done();
      });
    });
    worker.on('error', (error) => log.error({ detail: error.message }, 'the database thread failed'));
    worker.on('message', (answer: Answer) => this.#settle(answer));
    this.users = this.#records('users');
    this.streamKeys = this.#records('streamKeys');
    this.apiKeys = this.#records('apiKeys');
    this.refreshTokens = this.#records('refreshTokens');
    this.bans = this.#records('bans');
    this.settings = this.#records('settings');
    this.uploads = this.#records('uploads');
    this.history = {
      append: (records) => this.#call('history', 'append', records),
      query: (query) => this.#call('history', 'query', query),
      prune: (before) => this.#call('history', 'prune', before),
    };
    this.audit = {
      append: (entries) => this.#call('audit', 'append', entries),
      query: (query) => this.#call('audit', 'query', query),
    };
    this.outbox = {
      put: (item) => this.#call('outbox', 'put', item),
      urls: () => this.#call('outbox', 'urls'),
      oldest: (url, limit) => this.#call('outbox', 'oldest', url, limit),
      delete: (id) => this.#call('outbox', 'delete', id),
      count: () => this.#call('outbox', 'count'),
    };
    this.recordings = {
      put: (file) => this.#call('recordings', 'put', file),
      delete: (id) => this.#call('recordings', 'delete', id),
      keep: (id, isKept) => this.#call('recordings', 'keep', id, isKept),
      get: (id) => this.#call('recordings', 'get', id),
      query: (query) => this.#call('recordings', 'query', query),
      paths: () => this.#call('recordings', 'paths'),
      totals: () => this.#call('recordings', 'totals'),
    };
  }

  /**
   * Opens the database of a directory, which is made where it is missing.
   *
   * @throws {StorageError} `in-use`, `too-new` or `unusable`, saying what can be done
   */
  static async open(options: { dir: string; log: Logger }): Promise<Storage> {
    const dir = resolve(options.dir);
    try {
      mkdirSync(dir, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw new StorageError('unusable', `data.dir ${dir} can't be made: ${String(error)}`);
    }
    const worker = startThread('worker', { file: join(dir, FILE) });
    await new Promise<void>((done, fail) => {
      worker.once('error', (error) =>
        fail(new StorageError('unusable', `the database can't be opened: ${error.message}`)),
      );
      worker.once('message', (answer: Answer) => {
        if (answer.kind === 'error') fail(new StorageError(answer.code, answer.message));
        else done();
      });
    });
    return new Storage(worker, options.log);
  }

  /** False once it was closed, or its thread has ended. */
  get isOpen(): boolean {
    return !this.#isClosed;
  }

  /** Waits for what was asked before, and closes the database. Later calls fail. */
  async close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#worker.postMessage(CLOSE);
    }
    await this.#exited;
  }

  #records<K extends 'users' | 'streamKeys' | 'apiKeys' | 'refreshTokens' | 'bans' | 'settings' | 'uploads'>(table: K) {
    type Kept = Parameters<Tables[K]['put']>[0];
    return {
      load: () => this.#call(table, 'load') as Promise<Kept[]>,
      put: (record: Kept) => this.#call<void>(table, 'put', record),
      delete: (id: string) => this.#call<void>(table, 'delete', id),
    };
  }

  #call<T>(table: keyof Tables, method: string, ...args: readonly unknown[]): Promise<T> {
    if (this.#isClosed) return Promise.reject(new StorageError('closed', 'the database is closed'));
    if (this.#waiting.size >= MAX_IN_FLIGHT) {
      return Promise.reject(new StorageError('busy', `the disk is ${this.#waiting.size} calls behind`));
    }
    const id = this.#next++;
    return new Promise<T>((done, reject) => {
      this.#waiting.set(id, { resolve: done as (value: unknown) => void, reject });
      this.#worker.postMessage({ id, table, method, args });
    });
  }

  #settle(answer: Answer): void {
    if (answer.kind === 'ready' || answer.id === undefined) return;
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (answer.kind === 'value') waiting?.resolve(answer.value);
    else waiting?.reject(new StorageError(answer.code, answer.message));
  }

  #failAll(): void {
    for (const { reject } of this.#waiting.values()) reject(new StorageError('closed', 'the database is closed'));
    this.#waiting.clear();
  }
}
