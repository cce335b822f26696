import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

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
const POLL_MS = 50;
const TIMEOUT_MS = 20_000;

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
export async function endWatch(pid: number, folder: string): Promise<WatchReport> {
  const file = join(folder, REPORT_FILE);
  process.kill(pid, 'SIGUSR2');
  const deadline = performance.now() + TIMEOUT_MS;
  while (!existsSync(file)) {
    if (performance.now() > deadline) throw new Error(`process ${pid} wrote no ${file} in ${TIMEOUT_MS / 1000} s`);
    await sleep(POLL_MS);
  }
  const report = JSON.parse(readFileSync(file, 'utf8')) as WatchReport;
  rmSync(file);
  return report;
}
