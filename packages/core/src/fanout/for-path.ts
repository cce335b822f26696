import { millis } from '@sluice/media';
import type { Clock } from '../clock.js';
import type { PathSettings } from '../config/schema.js';
import { FanOut } from './fan-out.js';
import type { FlushScheduler } from './flush-scheduler.js';

/** What the fan-outs of a process share. */
export interface FanOutContext {
  readonly clock: Clock;
  readonly scheduler: FlushScheduler;
}

/** A fast viewer may fall behind once in a while; one that does so more often than this has a line that is too thin. */
const SKIP_WINDOW = millis(60_000);

/** A fan-out with the limits of a path. */
export function fanOutFor(
  settings: PathSettings,
  context: FanOutContext,
  envelope?: (units: readonly Buffer[]) => Buffer,
): FanOut {
  const { viewers, gopCache } = settings;
  const maxLag = millis(viewers.maxLagSeconds * 1000);
  return new FanOut({
    ...context,
    log: { retention: maxLag, maxBytes: gopCache.maxBytes },
    viewers: {
      maxLag,
      maxStall: millis(viewers.maxStallSeconds * 1000),
      maxSkips: viewers.maxSkips,
      skipWindow: SKIP_WINDOW,
    },
    ...(envelope === undefined ? {} : { envelope }),
  });
}
