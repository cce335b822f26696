import { describe, expect, it } from 'vitest';
import { isLive, shareOf, timeAt, worthSeeking } from './seek-range.js';

const RANGE = { start: 100, end: 160 };

describe('seek range', () => {
  it('is worth a bar when it is longer than half a minute', () => {
    expect(worthSeeking(RANGE)).toBe(RANGE);
    expect(worthSeeking({ start: 100, end: 130 })).toBeUndefined();
    expect(worthSeeking(undefined)).toBeUndefined();
  });

  it('takes what is near to its end for the live edge', () => {
    expect([150, 157.9, 158.1, 200].map((time) => isLive(time, RANGE))).toEqual([false, false, true, true]);
  });

  it('maps times to places on the bar and back, and never beyond it', () => {
    expect([90, 100, 130, 160, 170].map((time) => shareOf(time, RANGE))).toEqual([0, 0, 0.5, 1, 1]);
    expect([-1, 0, 0.5, 1, 2].map((share) => timeAt(share, RANGE))).toEqual([100, 100, 130, 160, 160]);
    expect(shareOf(5, { start: 3, end: 3 })).toBe(1);
  });
});
