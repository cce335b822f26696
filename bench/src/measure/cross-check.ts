import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { processTree } from '../proc-stat.js';
import type { Protocol } from '../targets/target.js';
import type { FanOutOptions } from './fan-out.js';
import type { Subject } from './stage.js';

/** What another meter found, under the same conditions. */
export interface CrossCheckRow {
  readonly target: string;
  readonly protocol: Protocol;
  readonly viewers: number;
  readonly cpuSecondsPerGb: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly stalled: number;
}

/** The fields that we take of the line of JSON that the meter prints. */
interface MeterLine {
  readonly cpu_s_per_gb: number;
  readonly lat_p50_ms: number;
  readonly lat_p99_ms: number;
  readonly stalled: number;
}

/**
 * Runs an independent meter on a fresh server: a program with the options --flv, --publish, --play, --viewers, --seconds,
 * --warm and --pid, that marks frames as ours does. It inherits the load's cores.
 */
export async function crossCheck(
  meter: string,
  clipPath: string,
  { target, protocol, plan }: Subject,
  { viewers, seconds, warmUpSeconds }: FanOutOptions,
): Promise<CrossCheckRow> {
  const running = await target.start(plan);
  try {
    const { stdout } = await promisify(execFile)(meter, [
      ...['--flv', clipPath, '--publish', running.publishUrl, '--play', running.playUrl(protocol)],
      ...['--viewers', String(viewers), '--seconds', String(seconds), '--warm', String(warmUpSeconds)],
      ...['--pid', processTree(running.pid).join(',')],
    ]);
    const line = JSON.parse(stdout) as MeterLine;
    return {
      target: target.name,
      protocol,
      viewers,
      cpuSecondsPerGb: line.cpu_s_per_gb,
      p50Ms: line.lat_p50_ms,
      p99Ms: line.lat_p99_ms,
      stalled: line.stalled,
    };
  } finally {
    await running.stop();
  }
}
