import { fileURLToPath } from 'node:url';
import { takeReport } from '../measure/preload-report.js';

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

/** Before the program on Node's command line. SIGUSR2 begins and ends what the probe sees, as with `server-watch.ts`. */
export const PROBE_ARGS: readonly string[] = ['--import', PRELOAD];

/** Takes what the probe has written. @throws where it writes nothing */
export function takeProbe(folder: string): Promise<ProbeReport> {
  return takeReport(folder, PROBE_FILE);
}
