import fc from 'fast-check';
import { expect, test } from 'vitest';
import { growingPause } from './growing-pause.js';

const PAUSES = { firstMs: 500, longestMs: 6000 };

test('pauses double up to the longest', () => {
  const pauses = [0, 1, 2, 3, 4, 5, 6, 2000].map((failures) => growingPause(failures, PAUSES));
  expect(pauses).toEqual([500, 500, 1000, 2000, 4000, 6000, 6000, 6000]);
});

test('chance takes or adds a quarter, never more', () => {
  expect([growingPause(1, PAUSES, 0), growingPause(1, PAUSES, 1)]).toEqual([375, 625]);
  fc.assert(
    fc.property(fc.nat(), fc.double({ min: 0, max: 1, noNaN: true }), (failures, random) => {
      const whole = growingPause(failures, PAUSES);
      const pause = growingPause(failures, PAUSES, random);
      expect(Math.abs(pause - whole)).toBeLessThanOrEqual(whole / 4);
    }),
  );
});
