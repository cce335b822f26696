import { JOIN_INTERVAL_MS } from './fan-out.js';
import { type JoinRow, percentilesOfMs } from './rows.js';
import { onStage, type Subject } from './stage.js';

export interface JoinOptions {
  readonly trials: number;
  readonly seconds: number;
  /** Viewers that are there all the time. */
  readonly background: number;
}

/** How long a new viewer waits for a picture: from connecting to the first whole keyframe. */
export function measureJoin(subject: Subject, { trials, seconds, background }: JoinOptions): Promise<JoinRow> {
  return onStage(subject, async ({ running, pool }) => {
    if (background > 0) await pool.attach(background, JOIN_INTERVAL_MS);
    const { firstKeyframeMs, failed, reason } = await pool.join(trials, seconds);
    return {
      target: subject.target.name,
      version: running.version,
      protocol: subject.protocol,
      trials,
      failed,
      ...(reason === undefined ? {} : { reason }),
      background,
      firstKeyframeMs: percentilesOfMs(firstKeyframeMs),
    };
  });
}
