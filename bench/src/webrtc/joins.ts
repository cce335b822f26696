import { setTimeout as sleep } from 'node:timers/promises';
import { Histogram } from '../histogram.js';
import { usageOf, waitedForCoreSeconds } from '../proc-stat.js';
import type { FanOutOptions } from './fan-out.js';
import { beginWatch, endWatch, type WatchReport } from './server-watch.js';
import { startWhepServer } from './servers.js';
import { joinAll, totalOf, WhepClient } from './whep-client.js';

/** Until the server has had its viewers for a while. */
const WARM_UP_MS = 4000;
const STEP_MS = 2;
/** So many sessions are set up at a time where the rate is as high as can be. */
const AT_A_TIME = 16;

/** New sessions a second; `most` is as many as the server can set up. */
export type JoinRate = number | 'most';

export interface JoinRow extends WatchReport {
  readonly joinsPerSecond: number;
  readonly failed: number;
  /** From the offer until the media can flow. */
  readonly setUpMs: { readonly p50: number; readonly p99: number };
  /** Of those who watch meanwhile. */
  readonly lost: number;
  /** Of one core. */
  readonly cpu: number;
  /** The share of the time in which the server could have gone on, but others had its core. */
  readonly waited: number;
  readonly loadCpu: number;
}

/** New sessions, one after the other, while so many viewers play. Each ends as soon as it is connected. */
export async function measureJoins(rate: JoinRate, options: FanOutOptions): Promise<JoinRow> {
  const { viewers, seconds, certificate } = options;
  const server = await startWhepServer('sluice', options.clip, options);
  const watching: WhepClient[] = [];
  const setUp = new Histogram();
  let failed = 0;
  const joinOnce = async () => {
    const began = performance.now();
    try {
      const client = await WhepClient.connect(server.whepUrl, certificate);
      setUp.record((performance.now() - began) * 1000);
      await client.close();
    } catch {
      failed += 1;
    }
  };
  try {
    await joinAll(watching, viewers, server.whepUrl, certificate);
    await sleep(WARM_UP_MS);
    const look = () => ({
      lost: totalOf(watching).lost,
      cpu: usageOf([server.pid]).cpuSeconds,
      waited: waitedForCoreSeconds(server.pid),
    });
    beginWatch(server.pid);
    const [before, load, began] = [look(), process.cpuUsage(), performance.now()];
    await (rate === 'most' ? asManyAsCan(joinOnce, seconds) : atRate(rate, joinOnce, seconds));
    const elapsed = (performance.now() - began) / 1000;
    const [after, spent] = [look(), process.cpuUsage(load)];
    const report = await endWatch(server.pid, server.folder);
    return {
      ...report,
      joinsPerSecond: setUp.count / elapsed,
      failed,
      setUpMs: { p50: setUp.percentile(0.5) / 1000, p99: setUp.percentile(0.99) / 1000 },
      lost: after.lost - before.lost,
      cpu: (after.cpu - before.cpu) / elapsed,
      waited: (after.waited - before.waited) / elapsed,
      loadCpu: (spent.user + spent.system) / 1e6 / elapsed,
    };
  } finally {
    for (const client of watching) await client.close();
    await server.stop();
  }
}

/** What is late is made up for: a server that is slow gets no fewer. */
async function atRate(rate: number, act: () => Promise<void>, seconds: number): Promise<void> {
  const began = performance.now();
  const running: Promise<void>[] = [];
  while (performance.now() - began < seconds * 1000) {
    const due = Math.floor(((performance.now() - began) / 1000) * rate);
    while (running.length < due) running.push(act());
    await sleep(STEP_MS);
  }
  await Promise.all(running);
}

async function asManyAsCan(act: () => Promise<void>, seconds: number): Promise<void> {
  const end = performance.now() + seconds * 1000;
  const one = async () => {
    while (performance.now() < end) await act();
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, one));
}
