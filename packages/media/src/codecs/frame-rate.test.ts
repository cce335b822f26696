import { expect, it } from 'vitest';
import { plausibleFrameRate } from './frame-rate.js';

it('takes rates of frames and leaves timebases', () => {
  expect(plausibleFrameRate(60_000, 1001)).toBe(60_000 / 1001);
  expect(plausibleFrameRate(300, 1)).toBe(300);
  expect(plausibleFrameRate(1, 4)).toBe(0.25);
  for (const [timeScale, units] of [
    [1000, 1],
    [90_000, 1],
    [0, 1],
    [25, 0],
    [0, 0],
  ] as const) {
    expect(plausibleFrameRate(timeScale, units)).toBeUndefined();
  }
});
