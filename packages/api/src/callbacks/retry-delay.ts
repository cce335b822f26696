/** How long a callback is let be after it failed. */
export interface RetryDelays {
  readonly firstMs: number;
  readonly longestMs: number;
}

export const RETRY_DELAYS: RetryDelays = { firstMs: 1000, longestMs: 300_000 };

/**
 * Doubles with each attempt up to the longest; half of it is left to chance, so that servers that failed together
 * don't come back together.
 *
 * @param attempts how many there were: 1 or more
 * @param random from 0 to 1
 * @returns ms
 */
export function retryDelay(attempts: number, random: number, { firstMs, longestMs }: RetryDelays): number {
  const whole = Math.min(longestMs, firstMs * 2 ** (attempts - 1));
  return Math.round(whole * (0.5 + random / 2));
}
