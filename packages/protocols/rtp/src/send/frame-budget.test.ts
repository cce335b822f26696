import { describe, expect, it } from 'vitest';
import { FrameBudget } from './frame-budget.js';

const KEY = { bytes: 10_000, keyframe: true, disposable: false };
const DELTA = { bytes: 1000, keyframe: false, disposable: false };
const SPARE = { ...DELTA, disposable: true };
const line = (queueDelayMs: number, estimate = 1_000_000) => ({
  queueDelayMs,
  measuredDelayMs: queueDelayMs,
  estimate,
});
const FREE = line(0, Number.POSITIVE_INFINITY);

describe('FrameBudget', () => {
  it('sends all where no limit is known', () => {
    const budget = new FrameBudget();
    expect([KEY, DELTA, SPARE].map((frame) => budget.accept({ ...frame, bytes: 1e7 }, FREE, 0))).toEqual([
      true,
      true,
      true,
    ]);
    expect(budget.dropped).toBe(0);
  });

  it('drops disposable pictures first, then all until a keyframe that finds the queue short', () => {
    const budget = new FrameBudget();
    const sends = [
      budget.accept(SPARE, line(95), 0),
      budget.accept(DELTA, line(200), 40),
      budget.accept(DELTA, line(295), 80),
      // What depends on it can't be sent, however short the queue is.
      budget.accept(DELTA, line(0), 120),
      budget.accept(KEY, line(150), 160),
      budget.accept(DELTA, line(0), 200),
      budget.accept(KEY, line(90), 240),
      budget.accept(DELTA, line(170), 280),
    ];
    expect(sends).toEqual([false, true, false, false, false, false, true, true]);
    expect(budget.dropped).toBe(5);
  });

  it('waits longer after each trial that fills the queue far too much', () => {
    const budget = new FrameBudget();
    budget.accept(DELTA, line(700), 0);
    const sentAt: number[] = [];
    for (let now = 100; now < 30_000; now += 100) {
      if (budget.accept(KEY, line(0), now)) {
        sentAt.push(now);
        budget.accept(DELTA, line(700), now + 40);
      }
    }
    expect(sentAt.slice(0, 5)).toEqual([1000, 3100, 7200, 12_300, 17_400]);
    // One that fits ends it.
    budget.accept(KEY, line(0), 40_000);
    budget.accept(DELTA, line(350), 40_100);
    expect(budget.accept(KEY, line(0), 40_200)).toBe(true);
  });

  it('tries in the end, even where the measured delay does not fall', () => {
    const budget = new FrameBudget();
    budget.accept(DELTA, line(400), 0);
    expect([1000, 4900, 5000].map((now) => budget.accept(KEY, line(400), now))).toEqual([false, false, true]);
  });
});
