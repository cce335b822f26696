import { parentPort, workerData } from 'node:worker_threads';
import type { Database } from 'better-sqlite3';
import { StorageError } from '../errors.js';
import { makeTables, type Tables } from '../tables/tables.js';
import { openDatabase } from './open-database.js';
import { type Answer, type Call, CLOSE } from './protocol.js';

const port = parentPort;
if (port === null) throw new Error('this is the entry of a worker thread');
const answer = (message: Answer) => port.postMessage(message);

try {
  const { file } = workerData as { file: string };
  serve(openDatabase(file));
} catch (error) {
  answer(failure(undefined, error));
}

function serve(database: Database): void {
  const tables = makeTables(database);
  port?.on('message', (message: Call | typeof CLOSE) => {
    if (message === CLOSE) {
      database.close();
      port.close();
      return;
    }
    try {
      answer({ kind: 'value', id: message.id, value: perform(tables, message) });
    } catch (error) {
      answer(failure(message.id, error));
    }
  });
  answer({ kind: 'ready' });
}

/** The client's types see to it that table and method are there. */
function perform(tables: Tables, { table, method, args }: Call): unknown {
  const target = tables[table as keyof Tables] as unknown as Record<string, (...args: readonly unknown[]) => unknown>;
  return target[method]?.(...args);
}

function failure(id: number | undefined, error: unknown): Answer {
  const message = error instanceof Error ? error.message : String(error);
  return { kind: 'error', id, code: error instanceof StorageError ? error.code : 'failed', message };
}
