import type { CaptureFailure } from '@sluice/core';

/** From the browser's start until the meeting is heard. */
export const JOIN_MS = 100_000;
/** A stay that held so long was a good one: what comes after it counts from the beginning. */
export const STEADY_MS = 60_000;
/** After the page spoke of the meeting's end, for BBB to say so, too. */
export const SETTLE_MS = 9000;
/** Of tries in a row without a steady stay between them. */
export const MOST_ATTEMPTS = 8;
/** A target that says no for so long will not say yes. */
export const LOST_TARGET_MS = 30_000;

/** In a meeting that everybody else has left: it would not end while the capture is in it. */
export const ALONE_MS = 300_000;

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

/** @param attempt that is to follow: 2 is the first that joins again @param random 0 to 1 */
export function pauseMs(attempt: number, random: number): number {
  const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.max(0, attempt - 2));
  return Math.round(pause * (0.75 + random / 2));
}

const HOPELESS: ReadonlySet<CaptureFailure> = new Set([
  'wrong-secret',
  'wrong-password',
  'no-meeting',
  'guest-denied',
  'meeting-full',
  'link-expired',
  'meeting-ended-by-force',
  'removed',
  'refused',
  'target-not-allowed',
  'no-browser',
  'no-encoder',
]);

/** Whether trying again would come to the same. */
export function isHopeless(failure: CaptureFailure): boolean {
  return HOPELESS.has(failure);
}
