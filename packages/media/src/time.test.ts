import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { micros, microsFromTicks90k, ticks90k, ticks90kFromMicros, unwrapCounter } from './time.js';

describe('time', () => {
  it('carries 90 kHz ticks through microseconds unchanged', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 40 }), (ticks) => {
        expect(ticks90kFromMicros(microsFromTicks90k(ticks90k(ticks)))).toBe(ticks);
      }),
    );
    expect(microsFromTicks90k(ticks90k(90_000))).toBe(micros(1_000_000));
  });

  it('undoes a wrap forward and a step backward over it', () => {
    expect(unwrapCounter(2 ** 32 - 10, 5, 32)).toBe(2 ** 32 + 5);
    expect(unwrapCounter(2 ** 32 + 5, 2 ** 32 - 10, 32)).toBe(2 ** 32 - 10);
    expect(unwrapCounter(5, 2 ** 33 - 1, 33)).toBe(-1);
    fc.assert(
      fc.property(fc.nat(2 ** 45), fc.integer({ min: -(2 ** 31) + 1, max: 2 ** 31 - 1 }), (previous, step) => {
        expect(unwrapCounter(previous, (((previous + step) % 2 ** 32) + 2 ** 32) % 2 ** 32, 32)).toBe(previous + step);
      }),
    );
  });
});
