import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** A part that the server finished: its segment, its place in it, and when, in ms of the machine's monotonic clock. */
export type PartMark = readonly [segment: number, part: number, at: number];

/** What a server's HLS did while it was watched. */
export interface ProbeReport {
  readonly parts: readonly PartMark[];
  /** Playlists that were made: each is compressed once. */
  readonly renderings: number;
}

/** In the server's working folder. */
export const PROBE_FILE = 'hls-probe.json';

const PRELOAD = fileURLToPath(new URL('probe-preload.js', import.meta.url));
const POLL_MS = 50;
const TIMEOUT_MS = 20_000;

/** Before the program on Node's command line. SIGUSR2 begins and ends what the probe sees, as with `server-watch.ts`. */
export const PROBE_ARGS: readonly string[] = ['--import', PRELOAD];

/** Takes what the probe has written. @throws where it writes nothing */
export async function takeProbe(folder: string): Promise<ProbeReport> {
  const file = join(folder, PROBE_FILE);
  const deadline = performance.now() + TIMEOUT_MS;
  while (!existsSync(file)) {
    if (performance.now() > deadline) throw new Error(`the server wrote no ${file} in ${TIMEOUT_MS / 1000} s`);
    await sleep(POLL_MS);
  }
  const report = JSON.parse(readFileSync(file, 'utf8')) as ProbeReport;
  rmSync(file);
  return report;
}
