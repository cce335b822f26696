import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bufferedAhead,
  bufferedEnd,
  COMFORT,
  Comfort,
  chase,
  endOfGap,
  firstStep,
  latencyByClock,
  type Ranges,
} from './live-edge.js';

const ranges = (...spans: readonly (readonly [number, number])[]): Ranges => ({
  length: spans.length,
  start: (index) => spans[index]![0],
  end: (index) => spans[index]![1],
});

describe('chase', () => {
  it.each([
    ['plays as it comes near the edge', 0.3, 1, { rate: 1 }],
    ['leaves a little more than comfort alone', 1.2, 1, { rate: 1 }],
    ['hurries when it falls behind', 1.6, 1, { rate: 1.06 }],
    ['keeps hurrying down to comfort', 0.9, 1.06, { rate: 1.06 }],
    ['stops hurrying there', 0.7, 1.06, { rate: 1 }],
    ['jumps when it is far behind', 6, 1.06, { rate: 1, seekBehindEdge: COMFORT }],
  ])('%s', (_what, lag, rate, step) => {
    expect(chase(lag, rate, COMFORT)).toEqual(step);
  });

  it('leaves more in hand where more is needed', () => {
    expect(chase(2, 1, 2)).toEqual({ rate: 1 });
    expect(chase(8, 1, 2)).toEqual({ rate: 1, seekBehindEdge: 2 });
  });

  it('brings every lag down to comfort and no lower, at a speed that nobody hears', () => {
    const lags = fc.double({ min: 0, max: 60, noNaN: true });
    const comforts = fc.double({ min: COMFORT, max: 3, noNaN: true });
    fc.assert(
      fc.property(lags, comforts, (start, comfort) => {
        let lag = start;
        let rate = 1;
        let fastest = 1;
        let slowest = 1;
        for (let tick = 0; tick < 4 * 150; tick++) {
          const step = chase(lag, rate, comfort);
          rate = step.rate;
          fastest = Math.max(fastest, rate);
          slowest = Math.min(slowest, rate);
          lag = step.seekBehindEdge ?? lag - (rate - 1) * 0.25;
        }
        expect(slowest).toBe(1);
        expect(fastest).toBeLessThanOrEqual(1.1);
        expect(lag).toBeLessThanOrEqual(comfort + 0.8);
        expect(lag).toBeGreaterThanOrEqual(Math.min(start, comfort - 0.05));
      }),
    );
  });
});

describe('firstStep', () => {
  it('jumps over what the server had in store', () => {
    expect(firstStep(2, COMFORT)).toEqual({ rate: 1, seekBehindEdge: COMFORT });
    expect(firstStep(1, COMFORT)).toEqual({ rate: 1 });
  });
});

describe('Comfort', () => {
  it('grows with each stall, up to three seconds', () => {
    const comfort = new Comfort();
    expect(comfort.seconds).toBe(COMFORT);
    comfort.stalled(0);
    expect(comfort.seconds).toBeCloseTo(1.1);
    for (let stall = 0; stall < 20; stall++) comfort.stalled(0);
    expect(comfort.seconds).toBe(3);
  });

  it('shrinks again after a quiet minute, step by step', () => {
    const comfort = new Comfort();
    comfort.stalled(0);
    comfort.stalled(1000);
    comfort.moved(60_000);
    expect(comfort.seconds).toBeCloseTo(1.5);
    comfort.moved(61_000);
    expect(comfort.seconds).toBeCloseTo(1.1);
    comfort.moved(61_250);
    expect(comfort.seconds).toBeCloseTo(1.1);
    comfort.moved(121_000);
    comfort.moved(181_000);
    expect(comfort.seconds).toBe(COMFORT);
  });
});

describe('ranges', () => {
  it('end where the last one ends', () => {
    expect(bufferedEnd(ranges())).toBeUndefined();
    expect(bufferedEnd(ranges([0, 2], [3, 5]))).toBe(5);
  });

  it('tell what is in hand', () => {
    expect(bufferedAhead(ranges(), 1)).toBeUndefined();
    expect(bufferedAhead(ranges([0, 5]), 3.5)).toBe(1.5);
    expect(bufferedAhead(ranges([0, 5]), 6)).toBe(0);
  });

  it.each([
    ['before the first', 1, 3],
    ['inside', 4, undefined],
    ['between two', 6, 7],
    ['at the end of the first', 5, 7],
    ['behind the last', 9, undefined],
  ])('lead out of a gap: %s', (_what, currentTime, end) => {
    expect(endOfGap(ranges([3, 5], [7, 9]), currentTime)).toBe(end);
  });
});

describe('latencyByClock', () => {
  it('counts from the event to the picture', () => {
    expect(latencyByClock(10_000, 12_500)).toBe(2.5);
  });

  it('is never below nothing, and unknown where the stream does not tell', () => {
    expect(latencyByClock(10_000, 9000)).toBe(0);
    expect(latencyByClock(undefined, 9000)).toBeUndefined();
    expect(latencyByClock(Number.NaN, 9000)).toBeUndefined();
  });
});
