import { fileURLToPath } from 'node:url';
import { takeReport } from '../measure/preload-report.js';

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

/** Before the program on Node's command line. SIGUSR2 begins and ends what it sees, as with `server-watch.ts`. */
export const FLUSH_ARGS: readonly string[] = ['--import', PRELOAD];

/** @throws where the server writes nothing */
export function takeFlushReport(folder: string): Promise<FlushReport> {
  return takeReport(folder, FLUSH_FILE);
}
