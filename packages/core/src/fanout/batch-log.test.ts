import { millis } from '@sluice/media';
import { describe, expect, it } from 'vitest';
import { type Batch, BatchLog } from './batch-log.js';

const JOIN = { header: Buffer.alloc(0), configs: Buffer.alloc(0) };
const batch = (sealedAt: number, joinable: boolean, bytes = 10): Batch => ({
  bytes: Buffer.alloc(bytes),
  joinable,
  join: JOIN,
  sealedAt: millis(sealedAt),
});

describe('BatchLog', () => {
  it('forgets what is older than its retention, but for the GOP that new viewers join at', () => {
    const log = new BatchLog({ retention: millis(1000), maxBytes: 10_000 });
    for (let at = 0; at <= 5000; at += 500) log.push(batch(at, at === 0 || at === 2000));
    // 2000 ms is number 4: far past the retention, and still where a viewer begins.
    expect([log.first, log.newestJoin, log.end]).toEqual([4, 4, 11]);
    log.push(batch(5500, true));
    expect([log.first, log.newestJoin, log.end]).toEqual([9, 11, 12]);
    expect(log.at(8)).toBeUndefined();
    expect(log.at(9)?.sealedAt).toBe(4500);
    expect(log.at(12)).toBeUndefined();
  });

  it('stays below its bytes at the cost of the GOP, and then has nowhere to begin until the next keyframe', () => {
    const log = new BatchLog({ retention: millis(1000), maxBytes: 100 });
    log.push(batch(0, true));
    for (let at = 1; at <= 200; at++) {
      log.push(batch(at, false));
      expect(log.bytes).toBeLessThanOrEqual(100);
      expect(log.bytes).toBe((log.end - log.first) * 10);
    }
    expect(log.newestJoin).toBeUndefined();
    log.push(batch(201, true));
    expect(log.newestJoin).toBe(201);
  });

  it('keeps the newest batch, be it larger than all that is allowed', () => {
    const log = new BatchLog({ retention: millis(1000), maxBytes: 100 });
    log.push(batch(0, true));
    log.push(batch(1, true, 5000));
    expect([log.first, log.end, log.newestJoin, log.bytes]).toEqual([1, 2, 1, 5000]);
  });

  it('finds the oldest place to begin since a time', () => {
    const log = new BatchLog({ retention: millis(1000), maxBytes: 10_000 });
    for (const [at, joinable] of [
      [0, true],
      [100, false],
      [200, true],
      [300, true],
    ] as const)
      log.push(batch(at, joinable));
    expect([0, 50, 200, 250, 301].map((since) => log.oldestJoinSince(millis(since)))).toEqual([0, 2, 2, 3, undefined]);
  });
});
