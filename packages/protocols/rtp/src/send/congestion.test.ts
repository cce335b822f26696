import { describe, expect, it } from 'vitest';
import { type Second, simulate } from './testing/bottleneck.js';

const FRAMES = 30;
const step = (now: number): number => (now < 10_000 || now >= 30_000 ? 4_000_000 : 800_000);
const isWhole = ({ sent }: Second): boolean => sent === FRAMES;
const sum = (seconds: readonly Second[], of: (second: Second) => number): number =>
  seconds.reduce((total, second) => total + of(second), 0);

describe('congestion control through a bottleneck', () => {
  it.each([
    // A keyframe alone takes 320 ms of the narrow line; of the larger stream, 580 ms.
    { name: 'twice as much as it carries', bitrate: 1_500_000, keyframeEvery: 30, queueMs: 1000, most: 350 },
    { name: 'three times as much', bitrate: 2_500_000, keyframeEvery: 60, queueMs: 1000, most: 600 },
    { name: 'a line that drops sooner than it queues', bitrate: 1_500_000, keyframeEvery: 30, queueMs: 100, most: 100 },
  ])('drops what would only wait, and comes back: $name', ({ bitrate, keyframeEvery, queueMs, most }) => {
    const seconds = simulate({ rate: step, queueMs }, { bitrate, keyframeEvery }, 45);
    const [before, narrow, after] = [seconds.slice(0, 10), seconds.slice(12, 30), seconds.slice(35)];
    expect(before.every(isWhole)).toBe(true);
    // Pictures go on, and the queue is empty in between.
    expect(sum(narrow, (second) => second.sent)).toBeGreaterThanOrEqual(narrow.length / 2 - 1);
    expect(sum(narrow, (second) => second.dropped)).toBeGreaterThan(200);
    expect(Math.max(...narrow.map((second) => second.queueMs))).toBeLessThanOrEqual(most);
    expect(sum(narrow, (second) => second.meanQueueMs) / narrow.length).toBeLessThan(150);
    // The estimate stays where the line is.
    const estimates = narrow.map(({ estimate }) => estimate);
    expect(Math.min(...estimates)).toBeGreaterThan(500_000);
    expect(Math.max(...estimates)).toBeLessThan(1_000_000);
    expect(after.every(isWhole)).toBe(true);
  });

  it('leaves out first what no other picture depends on', () => {
    const seconds = simulate({ rate: step }, { bitrate: 1_000_000, hasDisposable: true }, 45);
    const narrow = seconds.slice(10, 30);
    const disposable = sum(narrow, ({ droppedDisposable }) => droppedDisposable);
    expect(disposable).toBeGreaterThan(100);
    expect(sum(narrow, ({ dropped }) => dropped)).toBeLessThan(disposable / 2);
    expect(Math.max(...narrow.map(({ queueMs }) => queueMs))).toBeLessThan(320);
    expect(seconds.slice(32).every(isWhole)).toBe(true);
  });

  it.each([
    { name: '5 % of random loss', rate: 10_000_000, loss: 0.05, jitterMs: 5 },
    { name: '5 % of random loss on a line that is not much wider', rate: 3_000_000, loss: 0.05, jitterMs: 5 },
    { name: 'jitter', rate: 10_000_000, loss: 0, jitterMs: 30 },
    { name: 'a line that carries it just so', rate: 2_700_000, loss: 0, jitterMs: 0 },
  ])('drops nothing where the line carries all: $name', ({ rate, ...line }) => {
    const seconds = simulate({ ...line, rate: () => rate }, { bitrate: 2_500_000 }, 60);
    expect(seconds.every(isWhole)).toBe(true);
  });

  it('soon goes on after bad moments of a line that is wide enough', () => {
    const line = {
      rate: () => 10_000_000,
      heldUntil: (now: number) => (now % 5000 > 4000 && now % 5000 < 4400 ? now - (now % 5000) + 4400 : now),
      loses: (now: number) => now % 7000 > 3000 && now % 7000 < 3400,
      jitterMs: 5,
    };
    const seconds = simulate(line, { bitrate: 1_500_000, keyframeEvery: 30 }, 70);
    expect(sum(seconds, ({ sent }) => sent)).toBeGreaterThan(70 * FRAMES * 0.75);
    const still = seconds.map(({ sent }) => (sent < FRAMES / 2 ? 'o' : '.')).join('');
    expect(still).not.toContain('ooo');
  });

  it('tries seldom where not even a keyframe gets through in time, and comes back', () => {
    const rate = (now: number) => (now < 20_000 ? 150_000 : 4_000_000);
    const seconds = simulate({ rate }, { bitrate: 1_500_000 }, 40);
    const tries = sum(seconds.slice(2, 20), ({ sent }) => sent);
    expect(tries).toBeGreaterThanOrEqual(2);
    expect(tries).toBeLessThanOrEqual(6);
    expect(seconds.slice(30).every(isWhole)).toBe(true);
  });
});
