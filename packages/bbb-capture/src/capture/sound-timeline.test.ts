import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SoundTimeline } from './sound-timeline.js';

const RATE = 48_000;
const block = (frames: number) => Buffer.alloc(frames * 8, 1);
const framesOf = (step: { pcm: Buffer } | undefined) => (step?.pcm.length ?? 0) / 8;

test('begins with the first block, and takes what follows as it is', () => {
  const timeline = new SoundTimeline();
  expect(timeline.end).toBeUndefined();
  expect(timeline.push(1000, RATE, block(480))).toMatchObject({ type: 'restart', time: 1000, sampleRate: RATE });
  expect(timeline.push(11_000, RATE, block(480))).toMatchObject({ type: 'write' });
  expect(timeline.end).toBe(21_000);
  // Blocks come a little early or late; their count is what holds.
  expect(framesOf(timeline.push(31_000, RATE, block(480)))).toBe(480);
  expect(timeline.end).toBe(31_000);
});

test('fills a gap with silence', () => {
  const timeline = new SoundTimeline();
  timeline.push(0, RATE, block(480));
  const step = timeline.push(110_000, RATE, block(480));
  expect(framesOf(step)).toBe(4800 + 480);
  expect(step?.pcm.subarray(0, 4800 * 8).every((byte) => byte === 0)).toBe(true);
  expect(timeline.end).toBe(120_000);
});

test('leaves out what came twice', () => {
  const timeline = new SoundTimeline();
  timeline.push(0, RATE, block(RATE));
  expect(timeline.push(100_000, RATE, block(480))).toBeUndefined();
  expect(framesOf(timeline.push(950_000, RATE, block(4800)))).toBe(2400);
  expect(timeline.end).toBe(1_050_000);
});

test('begins anew with another rate and after a long gap, and never before where it ended', () => {
  const timeline = new SoundTimeline();
  timeline.push(0, RATE, block(RATE));
  expect(timeline.push(500_000, 44_100, block(441))).toMatchObject({ type: 'restart', time: 1_000_000 });
  expect(timeline.push(60_000_000, 44_100, block(441))).toMatchObject({ type: 'restart', time: 60_000_000 });
});

test('fills up to a time, and no more than that', () => {
  const timeline = new SoundTimeline();
  expect(timeline.fillUntil(1_000_000)).toBeUndefined();
  timeline.push(0, RATE, block(480));
  expect(framesOf(timeline.fillUntil(510_000))).toBe(24_000);
  expect(timeline.fillUntil(510_000)).toBeUndefined();
});

test('whatever comes, its count is never far from the clock and never goes back', () => {
  const block10ms = fc.record({
    gap: fc.integer({ min: -30_000, max: 500_000 }),
    frames: fc.integer({ min: 1, max: 960 }),
  });
  fc.assert(
    fc.property(fc.array(block10ms, { maxLength: 50 }), (blocks) => {
      const timeline = new SoundTimeline();
      let time = 0;
      let last = 0;
      for (const { gap, frames } of blocks) {
        time = Math.max(0, time + gap);
        timeline.push(time, RATE, block(frames));
        const end = timeline.end ?? 0;
        expect(end).toBeGreaterThanOrEqual(last);
        const blockEnd = time + (frames / RATE) * 1_000_000;
        expect(end).toBeGreaterThanOrEqual(blockEnd - 41_000);
        last = end;
        time = blockEnd;
      }
    }),
  );
});
