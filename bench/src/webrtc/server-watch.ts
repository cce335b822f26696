import { fileURLToPath } from 'node:url';
import { takeReport } from '../measure/preload-report.js';

/** What a server tells of its event loop. */
export interface WatchReport {
  /** By how much a timer came late. */
  readonly p99Ms: number;
  readonly maxMs: number;
  /** The most CPU time between two turns: what of the above was its own work. */
  readonly mostCpuMs: number;
}

/** In the server's working folder. */
export const REPORT_FILE = 'watch.json';
export const RESOLUTION_MS = 2;

const PRELOAD = fileURLToPath(new URL('watch-preload.js', import.meta.url));

/** Before the program on Node's command line. */
export const WATCH_ARGS: readonly string[] = ['--import', PRELOAD];

/** For the server's environment. @param profile where a CPU profile of the measurement goes */
export function watchEnvironment(profile: string | undefined): Record<string, string> {
  return profile === undefined ? {} : { BENCH_PROFILE: profile };
}

/** Watches the event loop of a server that was started with {@link WATCH_ARGS}. */
export function beginWatch(pid: number): void {
  process.kill(pid, 'SIGUSR2');
}

/** @throws where the server doesn't answer */
export function endWatch(pid: number, folder: string): Promise<WatchReport> {
  process.kill(pid, 'SIGUSR2');
  return takeReport(folder, REPORT_FILE);
}
