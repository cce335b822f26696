import { setTimeout as sleep } from 'node:timers/promises';

export const PAYLOAD_BYTES = 1316;
const STEP_MS = 2;

/** Calls a function at a steady rate of payloads, until it is aborted. What is late is made up for at once. */
export async function steadily(mbps: number, send: (count: number) => void, signal: AbortSignal): Promise<void> {
  const perMs = (mbps * 1000) / 8 / PAYLOAD_BYTES;
  const began = performance.now();
  let sent = 0;
  while (!signal.aborted) {
    const due = Math.floor((performance.now() - began) * perMs);
    if (due > sent) send(due - sent);
    sent = Math.max(sent, due);
    await sleep(STEP_MS);
  }
}
