import { MediaError } from '../errors.js';

/** Containers give a picture's sides 16 bits; no codec's level goes beyond. */
const MAX_SIDE = 0xffff;

/** @throws {MediaError} `malformed` where a parameter set's picture is empty or larger than any level allows */
export function checkPictureSize(of: string, width: number, height: number): void {
  if (width <= 0 || height <= 0 || width > MAX_SIDE || height > MAX_SIDE) {
    throw new MediaError(
      'malformed',
      `${of} of ${width}x${height} samples; 1x1 to ${MAX_SIDE}x${MAX_SIDE} are possible`,
    );
  }
}
