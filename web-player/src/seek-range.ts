import type { SeekRange } from './engines/engine.js';

/** Less of the past than this is no use to go back in, in seconds. */
const LEAST_RANGE = 30;
/** So near to the edge, who seeks means the edge, in seconds. */
const EDGE = 2;

/** A range where it is long enough for a time bar. */
export function worthSeeking(range: SeekRange | undefined): SeekRange | undefined {
  return range !== undefined && range.end - range.start > LEAST_RANGE ? range : undefined;
}

/** Whether a place is so near to the live edge that it is meant. */
export function isLive(time: number, { end }: SeekRange): boolean {
  return time > end - EDGE;
}

/** The place on the bar, from 0 (oldest) to 1 (live). */
export function shareOf(time: number, { start, end }: SeekRange): number {
  return end <= start ? 1 : Math.min(1, Math.max(0, (time - start) / (end - start)));
}

/** The time at a place on the bar. */
export function timeAt(share: number, { start, end }: SeekRange): number {
  return start + Math.min(1, Math.max(0, share)) * (end - start);
}
