/** What to do to stay near the live edge. */
export interface ChaseStep {
  readonly rate: number;
  /** Jump so that this many seconds are left to the edge. */
  readonly seekBehindEdge?: number;
}

/** Closer to the edge than this and each hiccup of the network stops the picture. */
const COMFORT = 0.7;
/** From here on playing a little faster catches up without anybody hearing it. */
const HURRY_FROM = 1.5;
const HURRY_RATE = 1.06;
/** From here on catching up by speed would take minutes. */
const JUMP_FROM = 8;

/** @param lag seconds between what is shown and the end of what has come */
export function chase(lag: number, currentRate: number): ChaseStep {
  if (lag > JUMP_FROM) return { rate: 1, seekBehindEdge: COMFORT };
  if (lag > HURRY_FROM) return { rate: HURRY_RATE };
  // Once it hurries, it does so down to the comfortable distance, so that the rate doesn't flicker.
  if (lag > COMFORT && currentRate > 1) return { rate: HURRY_RATE };
  return { rate: 1 };
}

/** The end of the last buffered range; undefined while there is none. */
export function bufferedEnd(buffered: TimeRanges): number | undefined {
  return buffered.length === 0 ? undefined : buffered.end(buffered.length - 1);
}

/** Where to go when the picture stands in a gap between two ranges; undefined where it doesn't. */
export function endOfGap(buffered: TimeRanges, currentTime: number): number | undefined {
  for (let index = 0; index < buffered.length; index++) {
    const start = buffered.start(index);
    if (currentTime < start) return start;
    if (currentTime < buffered.end(index)) return undefined;
  }
  return undefined;
}
