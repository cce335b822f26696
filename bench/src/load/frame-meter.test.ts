import { describe, expect, test } from 'vitest';
import { monotonicMs } from '../clock.js';
import { Histogram } from '../histogram.js';
import { FrameMeter } from './frame-meter.js';
import { createSharedBuffers, stampSent, viewShared } from './shared.js';

function meter() {
  const shared = viewShared(createSharedBuffers(1));
  const latencies = new Histogram();
  return { shared, latencies, meter: new FrameMeter(shared, latencies) };
}

describe('FrameMeter', () => {
  test('counts and times only frames that were sent within the window', () => {
    const { shared, latencies, meter: viewer } = meter();
    for (let sequence = 1; sequence <= 5; sequence++) shared.sentAt[sequence] = sequence * 10;
    shared.window.set([20, 40]);
    for (let sequence = 1; sequence <= 5; sequence++) viewer.frame(sequence, false);
    expect([viewer.frames, latencies.count, viewer.gaps]).toEqual([2, 2, 0]);
  });

  test('measures nothing before the window is opened', () => {
    const { shared, latencies, meter: viewer } = meter();
    stampSent(shared, 1);
    viewer.frame(1, true);
    expect([viewer.frames, latencies.count]).toEqual([0, 0]);
  });

  test('latency is from the stamp to now', () => {
    const { shared, latencies, meter: viewer } = meter();
    shared.window.set([0, Number.POSITIVE_INFINITY]);
    shared.sentAt[1] = monotonicMs() - 50;
    viewer.frame(1, false);
    expect(latencies.max).toBeGreaterThanOrEqual(50_000);
    expect(latencies.max).toBeLessThan(5_000_000);
  });

  test('a frame that does not follow is a gap, the first one is not', () => {
    const { meter: viewer } = meter();
    for (const sequence of [7, 8, 10, 11, 11]) viewer.frame(sequence, false);
    expect(viewer.gaps).toBe(2);
  });

  test('the first keyframe is noted once', () => {
    const { meter: viewer } = meter();
    viewer.frame(1, false);
    expect(viewer.firstKeyframeAt).toBe(0);
    viewer.frame(2, true);
    const first = viewer.firstKeyframeAt;
    viewer.frame(3, true);
    expect(first).toBeGreaterThan(0);
    expect(viewer.firstKeyframeAt).toBe(first);
  });
});
