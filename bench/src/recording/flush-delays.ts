import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** What a server's recordings did while they were watched. */
export interface FlushReport {
  readonly appends: number;
  /** From giving a fragment to the disk thread until the main thread knows that it is on the disk. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** The most bytes that waited at once. */
  readonly mostWaiting: number;
  /** Files that could not be written on. */
  readonly failed: number;
}

/** In the server's working folder. */
export const FLUSH_FILE = 'flush-delays.json';

const PRELOAD = fileURLToPath(new URL('flush-preload.js', import.meta.url));
const POLL_MS = 50;
const TIMEOUT_MS = 20_000;

/** Before the program on Node's command line. SIGUSR2 begins and ends what it sees, as with `server-watch.ts`. */
export const FLUSH_ARGS: readonly string[] = ['--import', PRELOAD];

/** @throws where the server writes nothing */
export async function takeFlushReport(folder: string): Promise<FlushReport> {
  const file = join(folder, FLUSH_FILE);
  const deadline = performance.now() + TIMEOUT_MS;
  while (!existsSync(file)) {
    if (performance.now() > deadline) throw new Error(`the server wrote no ${file} in ${TIMEOUT_MS / 1000} s`);
    await sleep(POLL_MS);
  }
  const report = JSON.parse(readFileSync(file, 'utf8')) as FlushReport;
  rmSync(file);
  return report;
}
