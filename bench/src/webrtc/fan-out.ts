import { setTimeout as sleep } from 'node:timers/promises';
import type { DtlsCertificate } from '@sluice/webrtc';
import { usageOf } from '../proc-stat.js';
import { beginWatch, endWatch } from './server-watch.js';
import { startWhepServer, type WhepServerName, type WhepServerOptions } from './servers.js';
import { joinAll, totalOf, type WhepClient } from './whep-client.js';

/** Until the last of them has had its first keyframe. */
const WARM_UP_MS = 4000;

export interface FanOutOptions extends WhepServerOptions {
  /** Its file. */
  readonly clip: string;
  readonly viewers: number;
  readonly seconds: number;
  readonly certificate: DtlsCertificate;
}

export interface FanOutRow {
  readonly joinsPerSecond: number;
  readonly mbpsEach: number;
  readonly packetsPerSecond: number;
  /** Of one core. */
  readonly cpu: number;
  readonly microsPerPacket: number;
  readonly lost: number;
  readonly residentMib: number;
  readonly loadCpu: number;
}

/** A fresh server, one stream, and so many viewers that join one after the other. */
export async function measureFanOut(name: WhepServerName, options: FanOutOptions): Promise<FanOutRow> {
  const { viewers, seconds, certificate, profile } = options;
  const server = await startWhepServer(name, options.clip, options);
  const clients: WhepClient[] = [];
  try {
    await sleep(WARM_UP_MS / 2);
    const joining = performance.now();
    await joinAll(clients, viewers, server.whepUrl, certificate);
    const joined = (performance.now() - joining) / 1000;
    await sleep(WARM_UP_MS);
    const look = () => ({ ...totalOf(clients), at: performance.now(), cpu: usageOf([server.pid]).cpuSeconds });
    // Watching costs CPU time, too.
    if (profile !== undefined) beginWatch(server.pid);
    const [before, load] = [look(), process.cpuUsage()];
    await sleep(seconds * 1000);
    const [after, spent] = [look(), process.cpuUsage(load)];
    if (profile !== undefined) await endWatch(server.pid, server.folder);
    const elapsed = (after.at - before.at) / 1000;
    const [packets, cpu] = [after.packets - before.packets, after.cpu - before.cpu];
    return {
      joinsPerSecond: viewers / joined,
      mbpsEach: ((after.bytes - before.bytes) * 8) / elapsed / viewers / 1e6,
      packetsPerSecond: packets / elapsed,
      cpu: cpu / elapsed,
      microsPerPacket: (cpu / packets) * 1e6,
      lost: after.lost - before.lost,
      residentMib: usageOf([server.pid]).residentMib,
      loadCpu: (spent.user + spent.system) / 1e6 / elapsed,
    };
  } finally {
    for (const client of clients) await client.close();
    await server.stop();
  }
}
