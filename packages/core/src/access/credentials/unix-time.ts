import { type Millis, millis } from '@sluice/media';

/** Seconds since 1970, as tokens carry them, in the clock's own unit. */
export function millisFromUnixSeconds(seconds: number): Millis {
  return millis(seconds * 1000);
}

export function unixSeconds(time: Millis): number {
  return Math.floor(time / 1000);
}
