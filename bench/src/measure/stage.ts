import { setTimeout as sleep } from 'node:timers/promises';
import type { FlvTag } from '@sluice/media';
import type { CorePlan } from '../cores.js';
import { type LoadPool, startPool } from '../load/pool.js';
import { type Publishing, publish } from '../publisher.js';
import type { Protocol, RunningTarget, Target } from '../targets/target.js';

/** A server that runs, a stream that is published to it, and workers that can view it. */
export interface Stage {
  readonly running: RunningTarget;
  readonly publishing: Publishing;
  readonly pool: LoadPool;
  readonly loadCores: number;
}

/** What a measurement is of. */
export interface Subject {
  readonly target: Target;
  readonly protocol: Protocol;
  readonly plan: CorePlan;
  readonly clip: readonly FlvTag[];
}

/** The first GOP is out before the first viewer comes. */
const LEAD_MS = 2000;

/** Sets everything up, measures, and takes everything down, come what may. */
export async function onStage<T>(subject: Subject, measure: (stage: Stage) => Promise<T>): Promise<T> {
  const { target, protocol, plan, clip } = subject;
  const running = await target.start(plan);
  const pool = startPool(running.playUrl(protocol), plan.load.length);
  let publishing: Publishing | undefined;
  try {
    publishing = await publish(running.publishUrl, clip, pool.shared);
    await sleep(LEAD_MS);
    const result = await measure({ running, publishing, pool, loadCores: plan.load.length });
    if (publishing.failure !== undefined) throw new Error(`the publisher was cut off: ${publishing.failure}`);
    return result;
  } finally {
    await publishing?.close();
    await pool.close();
    await running.stop();
  }
}
