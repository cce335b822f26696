import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../clock.js';
import { type Shared, totalReceived } from '../load/shared.js';
import { machineUsage, processTree, usageOf } from '../proc-stat.js';
import { type FanOutRow, percentilesOf, percentilesOfMs } from './rows.js';
import { onStage, type Stage, type Subject } from './stage.js';

export interface FanOutOptions {
  readonly viewers: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
}

/** Viewers come one each millisecond. */
export const JOIN_INTERVAL_MS = 1;
/** How long after the window frames of the window may still arrive. */
const GRACE_MS = 500;
const SAMPLE_MS = 250;
/** Two seconds at 30 frames per second. */
const STALLED_FRAMES = 60;
const BYTES_PER_GB = 1e9;
const MS_PER_SECOND = 1000;
const MICROS_PER_SECOND = 1e6;

/** How a server serves many viewers of one stream: what it costs it, and how late they are. */
export function measureFanOut(subject: Subject, options: FanOutOptions): Promise<FanOutRow> {
  return onStage(subject, async (stage) => {
    const { running, publishing, pool, loadCores } = stage;
    await pool.attach(options.viewers, JOIN_INTERVAL_MS);
    await sleep(options.warmUpSeconds * MS_PER_SECOND);
    const spent = await measureWindow(stage, options.seconds);
    const busy = await pool.observed();
    await sleep(GRACE_MS);
    const findings = await pool.finish();

    const sent = countSent(pool.shared, publishing.lastSequence);
    const frames = findings.frames.reduce((sum, count) => sum + count, 0);
    return {
      target: subject.target.name,
      version: running.version,
      protocol: subject.protocol,
      viewers: options.viewers,
      seconds: spent.seconds,
      gigabytes: spent.bytes / BYTES_PER_GB,
      gigabitsPerSecond: (spent.bytes * 8) / BYTES_PER_GB / spent.seconds,
      framesSent: sent,
      framesPerViewer: frames / options.viewers,
      fewestFrames: Math.min(...findings.frames),
      delivered: frames / options.viewers / sent,
      stalled: findings.frames.filter((count) => count + STALLED_FRAMES < sent).length,
      lost: findings.lost,
      gaps: findings.gaps,
      latencyMs: percentilesOf(findings.latencies),
      firstKeyframeMs: percentilesOfMs(findings.firstKeyframeMs),
      server: {
        cpu: spent.serverCpuSeconds / spent.seconds,
        cpuSecondsPerGb: (spent.serverCpuSeconds / spent.bytes) * BYTES_PER_GB,
        residentMaxMib: spent.residentMaxMib,
      },
      load: {
        cpu: spent.ownCpuSeconds / spent.seconds / loadCores,
        ...busy,
        publisherLateMs: publishing.takeLateness(),
      },
      foreignCpu: Math.max(0, spent.machineCpuSeconds - spent.serverCpuSeconds - spent.ownCpuSeconds) / spent.seconds,
    };
  });
}

interface Spent {
  readonly seconds: number;
  readonly bytes: number;
  readonly serverCpuSeconds: number;
  readonly ownCpuSeconds: number;
  readonly machineCpuSeconds: number;
  readonly residentMaxMib: number;
}

/** Opens the window, lets it run, and closes it: what was received and spent in between. */
async function measureWindow({ running, publishing, pool }: Stage, seconds: number): Promise<Spent> {
  await pool.observe();
  publishing.takeLateness();
  const pids = processTree(running.pid);
  const before = snapshot(pool.shared, pids);
  pool.shared.window[0] = before.at;
  let residentMaxMib = before.residentMib;
  const end = before.at + seconds * MS_PER_SECOND;
  for (let left = seconds * MS_PER_SECOND; left > 0; left = end - monotonicMs()) {
    await sleep(Math.min(left, SAMPLE_MS));
    residentMaxMib = Math.max(residentMaxMib, usageOf(pids).residentMib);
  }
  const after = snapshot(pool.shared, pids);
  pool.shared.window[1] = after.at;
  return {
    seconds: (after.at - before.at) / MS_PER_SECOND,
    bytes: after.bytes - before.bytes,
    serverCpuSeconds: after.serverCpuSeconds - before.serverCpuSeconds,
    ownCpuSeconds: after.ownCpuSeconds - before.ownCpuSeconds,
    machineCpuSeconds: after.machineCpuSeconds - before.machineCpuSeconds,
    residentMaxMib,
  };
}

function snapshot(shared: Shared, pids: readonly number[]) {
  const { cpuSeconds, residentMib } = usageOf(pids);
  const machine = machineUsage();
  const own = process.cpuUsage();
  return {
    at: monotonicMs(),
    bytes: totalReceived(shared),
    serverCpuSeconds: cpuSeconds,
    residentMib,
    ownCpuSeconds: (own.user + own.system) / MICROS_PER_SECOND,
    machineCpuSeconds: machine.busySeconds + machine.stolenSeconds,
  };
}

/** Frames that left within the window. */
export function countSent({ sentAt, window }: Shared, lastSequence: number): number {
  const [from = 0, to = 0] = window;
  return sentAt.subarray(1, lastSequence + 1).filter((at) => at >= from && at < to).length;
}
