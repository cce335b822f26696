import { type Millis, millis } from '@sluice/media';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Clock } from '../clock.js';
import { FlushScheduler } from './flush-scheduler.js';

/** A target whose flush takes a given time on the fake clock. */
class Target {
  readonly flushedAt: number[] = [];
  cost = 0;
  readonly #time: { now: number };

  constructor(time: { now: number }) {
    this.#time = time;
  }

  flush(now: Millis): void {
    this.flushedAt.push(now);
    this.#time.now += this.cost;
  }
}

describe('FlushScheduler', () => {
  const time = { now: 1000 };
  const clock: Clock = { monotonic: () => millis(time.now), wall: () => millis(0) };
  const policy = { restFactor: 2, maxRest: millis(30), maxDelay: millis(90) };
  beforeEach(() => {
    vi.useFakeTimers();
    time.now = 1000;
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const advance = (ms: number) => {
    for (let step = 0; step < ms; step++) {
      time.now += 1;
      vi.advanceTimersByTime(1);
    }
  };

  /** Runs enough passes of a cost for the average to be there. */
  const settle = (scheduler: FlushScheduler, target: Target, cost: number) => {
    target.cost = cost;
    for (let pass = 0; pass < 40; pass++) {
      scheduler.request(target, true);
      advance(200);
    }
    target.flushedAt.length = 0;
  };

  it('serves a request in the same turn while passes are cheap, whatever it carries', () => {
    const scheduler = new FlushScheduler(policy, clock);
    const target = new Target(time);
    for (const urgent of [true, false]) {
      scheduler.request(target, urgent);
      vi.advanceTimersByTime(0);
      advance(5);
    }
    expect(target.flushedAt).toEqual([1000, 1005]);
  });

  it('gathers what is asked for in one turn into one pass', () => {
    const scheduler = new FlushScheduler(policy, clock);
    const [a, b] = [new Target(time), new Target(time)];
    scheduler.request(a, true);
    scheduler.request(b, true);
    scheduler.request(a, false);
    advance(1);
    expect([a.flushedAt.length, b.flushedAt.length]).toEqual([1, 1]);
  });

  it('goes round as often where processes share the viewers as one would with all of them', () => {
    const paceOf = (processes: number, cost: number) => {
      const scheduler = new FlushScheduler({ ...policy, processes }, clock);
      const target = new Target(time);
      settle(scheduler, target, cost);
      for (let ms = 0; ms < 400; ms++) {
        scheduler.request(target, true);
        advance(1);
      }
      const [first = 0, ...others] = target.flushedAt;
      return ((others.at(-1) ?? 0) - first) / others.length;
    };
    for (const cost of [8, 40]) {
      const alone = paceOf(1, cost);
      expect(Math.abs(paceOf(2, cost / 2) - alone)).toBeLessThan(2);
      expect(Math.abs(paceOf(4, cost / 4) - alone)).toBeLessThan(2);
    }
  });

  it('lets sound wait for the next picture once passes are dear', () => {
    const scheduler = new FlushScheduler(policy, clock);
    const target = new Target(time);
    settle(scheduler, target, 10);
    scheduler.request(target, false);
    advance(25);
    expect(target.flushedAt).toEqual([]);
    const arrival = time.now;
    scheduler.request(target, true);
    advance(1);
    expect(target.flushedAt).toHaveLength(1);
    expect(target.flushedAt[0]).toBeLessThanOrEqual(arrival + 1);
  });

  it('puts a picture that comes early in a rest off to the next one, and one that comes late to the end of the rest', () => {
    const scheduler = new FlushScheduler(policy, clock);
    const target = new Target(time);
    settle(scheduler, target, 20);
    scheduler.request(target, true);
    advance(1);
    target.flushedAt.length = 0;
    const passEnded = time.now;
    scheduler.request(target, true);
    advance(5);
    expect(target.flushedAt).toEqual([]);
    advance(17);
    scheduler.request(target, true);
    advance(20);
    expect(target.flushedAt[0]).toBeGreaterThanOrEqual(passEnded + 28);
    expect(target.flushedAt[0]).toBeLessThanOrEqual(passEnded + 32);
  });

  it('never holds anything back for longer than maxDelay', () => {
    const scheduler = new FlushScheduler(policy, clock);
    const target = new Target(time);
    settle(scheduler, target, 25);
    const asked = time.now;
    scheduler.request(target, false);
    advance(89);
    expect(target.flushedAt).toEqual([]);
    advance(3);
    expect(target.flushedAt[0]).toBeLessThanOrEqual(asked + 92);
  });

  it('is not put off its pace by one dear pass, as a keyframe makes', () => {
    const scheduler = new FlushScheduler(policy, clock);
    const target = new Target(time);
    settle(scheduler, target, 1);
    target.cost = 20;
    scheduler.request(target, true);
    advance(1);
    target.cost = 1;
    target.flushedAt.length = 0;
    scheduler.request(target, true);
    advance(12);
    expect(target.flushedAt).toHaveLength(1);
  });

  it('writes at once, always, with a rest factor of 0', () => {
    const scheduler = new FlushScheduler({ ...policy, restFactor: 0 }, clock);
    const target = new Target(time);
    settle(scheduler, target, 20);
    for (let request = 0; request < 5; request++) {
      scheduler.request(target, false);
      advance(1);
    }
    expect(target.flushedAt).toHaveLength(5);
  });
});
