import { setTimeout as sleep } from 'node:timers/promises';
import { cpuOf } from '../proc-stat.js';
import type { RunningServer, SluiceAddresses } from '../webrtc/servers.js';

export interface FeedCostOptions {
  readonly server: RunningServer & SluiceAddresses;
  readonly token: string;
  readonly listeners: number;
  readonly seconds: number;
}

/** Shares of one core, and what came by the feeds, in bytes a second. */
export interface FeedCost {
  readonly own: number;
  readonly children: number;
  readonly bytes: number;
}

const WARM_UP_MS = 4000;

/** What the server needs while so many listen to its feed. */
export async function measureCost({ server, token, listeners, seconds }: FeedCostOptions): Promise<FeedCost> {
  const abort = new AbortController();
  let bytes = 0;
  const read = async () => {
    const headers = { Authorization: `Bearer ${token}` };
    const response = await fetch(`${server.api}/api/v2/feed`, { headers, signal: abort.signal });
    for await (const chunk of response.body ?? []) bytes += chunk.length;
  };
  const reading = Array.from({ length: listeners }, () => read().catch(() => undefined));
  try {
    await sleep(WARM_UP_MS);
    const [before, bytesBefore] = [cpuOf(server.pid), bytes];
    await sleep(seconds * 1000);
    const after = cpuOf(server.pid);
    return {
      own: (after.own - before.own) / seconds,
      children: (after.children - before.children) / seconds,
      bytes: (bytes - bytesBefore) / seconds,
    };
  } finally {
    abort.abort();
    await Promise.all(reading);
  }
}
