/** Between tries of something that fails, in milliseconds. */
export interface GrowingPauses {
  readonly firstMs: number;
  readonly longestMs: number;
}

/** A share of each pause, up and down, that is left to chance: many that lost the same peer shall not come back at once. */
const CHANCE = 0.25;
/** No pause doubles so often before it is the longest; more would be beyond what a number holds exactly. */
const MOST_DOUBLINGS = 50;

/**
 * How long to wait before the next try: it doubles with each failure, up to the longest.
 *
 * @param failures in a row: 1 or more
 * @param random 0 to 1; 0.5 leaves nothing to chance
 * @returns milliseconds
 */
export function growingPause(failures: number, { firstMs, longestMs }: GrowingPauses, random = 0.5): number {
  const doublings = Math.min(Math.max(0, failures - 1), MOST_DOUBLINGS);
  const whole = Math.min(longestMs, firstMs * 2 ** doublings);
  return Math.round(whole * (1 - CHANCE + 2 * CHANCE * random));
}
