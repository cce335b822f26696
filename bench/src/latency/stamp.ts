/** Enough for 17 minutes in ms. */
export const STAMP_BITS = 20;
export const STAMP_MODULUS = 2 ** STAMP_BITS;

/** A picture's upper rows hold a time: one column for each bit, white for 1, and below each the opposite. */
export const STAMP_ROWS = 2;
/** Side of a block, in pixels. */
export const BLOCK = 32;
export const WIDTH = STAMP_BITS * BLOCK;
export const HEIGHT = 360;

/** Whether a block is white. @param time ms, of which the low bits are shown */
export function isWhite(time: number, column: number, row: number): boolean {
  return (Math.floor(time / 2 ** column) % 2 === 1) === (row === 0);
}

/** So much lighter is white than black at least, of 255. */
const CONTRAST = 60;

/**
 * The time that a picture shows.
 *
 * @param lightOf a block, 0 to 255
 * @returns undefined where a block can't be told
 */
export function readStamp(lightOf: (column: number, row: number) => number): number | undefined {
  let time = 0;
  for (let column = 0; column < STAMP_BITS; column++) {
    const contrast = lightOf(column, 0) - lightOf(column, 1);
    if (Math.abs(contrast) < CONTRAST) return undefined;
    if (contrast > 0) time += 2 ** column;
  }
  return time;
}

/** How long ago a stamp was now, in ms. */
export function ageOf(stamp: number, now: number): number {
  return (((now - stamp) % STAMP_MODULUS) + STAMP_MODULUS) % STAMP_MODULUS;
}
