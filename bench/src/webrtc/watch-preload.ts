// Loaded into a measured server by --import: SIGUSR2 begins a measurement, the next one ends it and writes what it saw.
import { renameSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { resolve } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { REPORT_FILE, RESOLUTION_MS, type WatchReport } from './server-watch.js';

const NANOS_PER_MILLI = 1e6;
const reportFile = resolve(REPORT_FILE);
const profileFile = process.env.BENCH_PROFILE;

let loop: ReturnType<typeof monitorEventLoopDelay> | undefined;
let profiler: Session | undefined;
let timer: NodeJS.Timeout | undefined;
let [usedBefore, mostUsed] = [0, 0];

/** The CPU time between two turns of the event loop, whoever else was on the core meanwhile. */
function lookAtCpu(): void {
  const { user, system } = process.cpuUsage();
  mostUsed = Math.max(mostUsed, user + system - usedBefore);
  usedBefore = user + system;
}

async function begin(): Promise<void> {
  if (profileFile !== undefined) {
    profiler = new Session();
    profiler.connect();
    await profiler.post('Profiler.enable');
    await profiler.post('Profiler.start');
  }
  lookAtCpu();
  mostUsed = 0;
  timer = setInterval(lookAtCpu, RESOLUTION_MS).unref();
  loop = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  loop.enable();
}

async function end(measured: ReturnType<typeof monitorEventLoopDelay>): Promise<void> {
  measured.disable();
  clearInterval(timer);
  if (profiler !== undefined && profileFile !== undefined) {
    const { profile } = await profiler.post('Profiler.stop');
    profiler.disconnect();
    writeFileSync(profileFile, JSON.stringify(profile));
  }
  const millis = (nanos: number) => Math.max(0, nanos / NANOS_PER_MILLI - RESOLUTION_MS);
  const report: WatchReport = {
    p99Ms: millis(measured.percentile(99)),
    maxMs: millis(measured.max),
    mostCpuMs: mostUsed / 1000,
  };
  const unfinished = `${reportFile}.part`;
  writeFileSync(unfinished, JSON.stringify(report));
  renameSync(unfinished, reportFile);
}

process.on('SIGUSR2', () => {
  const measured = loop;
  loop = undefined;
  void (measured === undefined ? begin() : end(measured));
});
