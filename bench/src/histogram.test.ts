import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Histogram } from './histogram.js';

function of(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

describe('Histogram', () => {
  test('is exact below 256 µs', () => {
    const histogram = of(Array.from({ length: 100 }, (_, i) => i + 1));
    expect(histogram.percentile(0.5)).toBe(50);
    expect(histogram.percentile(0.99)).toBe(99);
    expect(histogram.percentile(1)).toBe(100);
    expect(histogram.max).toBe(100);
  });

  test('has no percentile when empty', () => {
    expect(of([]).percentile(0.5)).toBeNaN();
    expect(of([]).max).toBe(0);
  });

  test('takes what is out of range as the nearest value in range', () => {
    const histogram = of([-5, 1e12]);
    expect(histogram.percentile(0.5)).toBe(0);
    expect(histogram.max).toBe(0x7fff_ffff);
  });

  test('percentiles are within 0.8 % of the sorted list', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 0x7fff_fffe }), { minLength: 1, maxLength: 200 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, fraction) => {
          const sorted = values.toSorted((a, b) => a - b);
          const exact = sorted[Math.max(1, Math.ceil(fraction * sorted.length)) - 1]!;
          expect(Math.abs(of(values).percentile(fraction) - exact)).toBeLessThanOrEqual(exact * 0.008);
        },
      ),
    );
  });

  test('merged, it is as if one had recorded everything', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1e9)), fc.array(fc.nat(1e9)), (a, b) => {
        const merged = of(a);
        merged.merge(of(b));
        const whole = of([...a, ...b]);
        expect(merged.counts).toEqual(whole.counts);
        expect([merged.count, merged.max]).toEqual([whole.count, whole.max]);
      }),
    );
  });
});
