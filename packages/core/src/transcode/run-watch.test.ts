import { describe, expect, it } from 'vitest';
import { RunWatch, STALLED_AFTER_MS } from './run-watch.js';

const STEP = 40;

/** Samples each 40 ms; each of them gives something until `gives` ends. */
function run(watch: RunWatch, from: number, to: number, gives: boolean): void {
  for (let now = from; now <= to; now += STEP) {
    watch.fed(now);
    if (gives) watch.gave(now);
  }
}

describe('RunWatch', () => {
  it('knows what hangs from what has nothing to do', () => {
    const watch = new RunWatch(0);
    run(watch, 0, 20_000, true);
    expect(watch.hangs(20_000)).toBe(false);
    expect(watch.isGood(20_000)).toBe(true);
    // The encoder is away for a minute, and comes back.
    expect(watch.hangs(80_000)).toBe(false);
    watch.fed(80_000);
    expect(watch.hangs(80_000)).toBe(false);
    run(watch, 80_000, 80_000 + STALLED_AFTER_MS, false);
    expect(watch.hangs(80_000 + STALLED_AFTER_MS)).toBe(false);
    run(watch, 80_000 + STALLED_AFTER_MS, 90_000, false);
    expect(watch.hangs(90_000)).toBe(true);
    expect(watch.isGood(90_000)).toBe(false);
  });

  it('tells the CPU between two looks', () => {
    const watch = new RunWatch(0);
    watch.measured(3, 1000);
    expect(watch.cpu).toBeUndefined();
    watch.measured(4, 3000);
    expect(watch.cpu).toBe(0.5);
  });
});
