import { setTimeout as sleep } from 'node:timers/promises';
import { processTree, usageOf } from '../proc-stat.js';
import { idleVersion } from '../source-clip.js';
import { JOIN_INTERVAL_MS } from './fan-out.js';
import type { IdleRow } from './rows.js';
import { onStage, type Subject } from './stage.js';

/** What a server allocated to let viewers in has settled by then. */
const SETTLE_MS = 3000;
const KIB_PER_MIB = 1024;

/** What memory a viewer takes who is connected, to a stream that sends next to nothing. */
export function measureIdle(subject: Subject, viewers: number): Promise<IdleRow> {
  return onStage({ ...subject, clip: idleVersion(subject.clip) }, async ({ running, pool }) => {
    const before = residentMib(running.pid);
    await pool.attach(viewers, JOIN_INTERVAL_MS);
    await sleep(SETTLE_MS);
    const after = residentMib(running.pid);
    const { lost, lostReason } = await pool.finish();
    if (lost > 0) throw new Error(`${lost} of ${viewers} viewers were lost: ${lostReason}`);
    return {
      target: subject.target.name,
      version: running.version,
      protocol: subject.protocol,
      viewers,
      residentBeforeMib: before,
      residentAfterMib: after,
      kibPerViewer: ((after - before) * KIB_PER_MIB) / viewers,
    };
  });
}

function residentMib(pid: number): number {
  return usageOf(processTree(pid)).residentMib;
}
