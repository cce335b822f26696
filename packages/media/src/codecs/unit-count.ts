import { MediaError } from '../errors.js';

/**
 * An access unit has a few NAL units or OBUs, some hundred where slices are small. Each one costs an object of a
 * hundred times its least size on the wire, so that without a bound a few megabytes could ask for gigabytes.
 */
export const MAX_UNITS_PER_SAMPLE = 4096;

/** @throws {MediaError} `too-large` where one unit more would be one too many */
export function checkUnitCount(count: number): void {
  if (count >= MAX_UNITS_PER_SAMPLE) {
    throw new MediaError('too-large', `more than ${MAX_UNITS_PER_SAMPLE} units in an access unit; send fewer slices`);
  }
}
