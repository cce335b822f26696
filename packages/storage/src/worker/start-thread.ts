import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';

/** The threads of this package, as its package.json exports their entries. */
export type ThreadName = 'worker' | 'disk-thread' | 'scan-thread' | 'sync-thread' | 'finisher-thread';

/** Starts a thread from its built file, also where tests run this package from its sources. */
export function startThread(name: ThreadName, workerData?: unknown): Worker {
  const entry = createRequire(import.meta.url).resolve(`@sluice/storage/${name}`);
  return new Worker(entry, { workerData, execArgv: [] });
}
