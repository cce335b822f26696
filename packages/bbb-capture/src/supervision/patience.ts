import { type CaptureFailure, growingPause } from '@sluice/core';

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

/** Of taking more of the processors than is allowed: a client that mounts takes more for a while. */
export const BUSY_MS = 60_000;

const PAUSES = { firstMs: 500, longestMs: 30_000 } as const;

/** @param attempt that is to follow: 2 is the first that joins again @param random 0 to 1 */
export function pauseMs(attempt: number, random: number): number {
  return growingPause(attempt - 1, PAUSES, random);
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
