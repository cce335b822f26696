/** Bits of each number in a picture: enough for 9 hours of pictures, and for 17 minutes in ms. */
export const MARK_BITS = 20;
export const MARK_MODULUS = 2 ** MARK_BITS;

/**
 * Where the numbers stand, as shares of the picture's width and height. From top to bottom: the counter, its
 * complement, the clock, its complement; the lowest bit is on the left. White is 1.
 */
export const MARK = { left: 0.25, top: 0.4, bitWidth: 0.5 / MARK_BITS, rowHeight: 0.03, rows: 4 } as const;

/** Where the white flash is that goes with each beep; black otherwise. */
export const FLASH = { left: 0.78, top: 0.55, width: 0.18, height: 0.2 } as const;

/** So much lighter is white than black at least, of 255. */
const CONTRAST = 60;
const FLASH_LIGHT = 140;

/** What a picture of the stub's meeting says. */
export interface ReadMark {
  /** Counts the pictures that were drawn, modulo {@link MARK_MODULUS}. */
  readonly counter: number;
  /** The clock (`Date.now()`) when it was drawn, in ms, modulo {@link MARK_MODULUS}. */
  readonly clock: number;
  readonly isFlash: boolean;
}

/** Whether a block is white. @param row 0 and 1 are of the counter, 2 and 3 of the clock */
export function isWhite(counter: number, clock: number, column: number, row: number): boolean {
  const number = row < 2 ? counter : clock;
  return (Math.floor(number / 2 ** column) % 2 === 1) === (row % 2 === 0);
}

/**
 * Reads a picture.
 *
 * @param lightOf the light of a pixel, 0 to 255, by its place as shares of width and height
 * @returns undefined where the numbers can't be told: something covers them, or it is another picture
 */
export function readMark(lightOf: (x: number, y: number) => number): ReadMark | undefined {
  const counter = readNumber(lightOf, 0);
  const clock = readNumber(lightOf, 2);
  if (counter === undefined || clock === undefined) return undefined;
  const isFlash = lightOf(FLASH.left + FLASH.width / 2, FLASH.top + FLASH.height / 2) > FLASH_LIGHT;
  return { counter, clock, isFlash };
}

function readNumber(lightOf: (x: number, y: number) => number, row: number): number | undefined {
  let number = 0;
  for (let column = 0; column < MARK_BITS; column++) {
    const x = MARK.left + (column + 0.5) * MARK.bitWidth;
    const y = MARK.top + (row + 0.5) * MARK.rowHeight;
    const contrast = lightOf(x, y) - lightOf(x, y + MARK.rowHeight);
    if (Math.abs(contrast) < CONTRAST) return undefined;
    if (contrast > 0) number += 2 ** column;
  }
  return number;
}

/** Reads a decoded picture. @param pixels rows of red, green, blue and, if there are four bytes a pixel, alpha */
export function readMarkOfPixels(
  pixels: Uint8Array,
  { width, height, bytesPerPixel }: { width: number; height: number; bytesPerPixel: 3 | 4 },
): ReadMark | undefined {
  return readMark((x, y) => {
    const at = (Math.floor(y * height) * width + Math.floor(x * width)) * bytesPerPixel;
    return ((pixels[at] ?? 0) + (pixels[at + 1] ?? 0) + (pixels[at + 2] ?? 0)) / 3;
  });
}
