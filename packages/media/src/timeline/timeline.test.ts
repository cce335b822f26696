import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Sample } from '../sample.js';
import { micros, microsFromTicks90k, ticks90k, unwrapCounter } from '../time.js';
import { Timeline } from './timeline.js';

const DATA = Buffer.alloc(1);
const at = (track: number, ms: number, cts = 0): Sample => ({
  track,
  kind: track % 2 === 0 ? 'video' : 'audio',
  dts: micros(ms * 1000),
  pts: micros((ms + cts) * 1000),
  keyframe: true,
  data: DATA,
});
const VIDEO = 0;
const AUDIO = 1;

/** Runs samples through and gives the dts that came out, in ms. */
const run = (timeline: Timeline, samples: readonly Sample[]): number[] =>
  samples.map((sample) => timeline.repair(sample).sample.dts / 1000);
/** 25 fps video and 20 ms audio from `from` on, interleaved. */
const clip = (from: number, ms: number, audioLag = 0): Sample[] => {
  const samples: Sample[] = [];
  for (let t = 0; t < ms; t += 40) {
    samples.push(at(VIDEO, from + t), at(AUDIO, from + t + audioLag), at(AUDIO, from + t + 20 + audioLag));
  }
  return samples;
};
const outOf = (timeline: Timeline, samples: readonly Sample[], track: number): number[] =>
  samples
    .map((s) => timeline.repair(s).sample)
    .filter((s) => s.track === track)
    .map((s) => s.dts / 1000);
const steps = (values: readonly number[]): number[] => values.slice(1).map((v, i) => v - (values[i] ?? 0));

describe('Timeline', () => {
  it('begins near 0 whatever the encoder begins with, and keeps the start offset between tracks', () => {
    expect(run(new Timeline(), [at(VIDEO, 9_999_999), at(AUDIO, 9_999_999 + 300), at(VIDEO, 10_000_039)])).toEqual([
      1000, 1300, 1040,
    ]);
    expect(run(new Timeline(), [at(VIDEO, 5000), at(AUDIO, 4200)])).toEqual([1000, 200]);
  });

  it('aligns tracks whose clocks have nothing to do with each other', () => {
    const timeline = new Timeline();
    expect(run(timeline, [at(VIDEO, 36_000_000), at(AUDIO, 0), at(VIDEO, 36_000_040), at(AUDIO, 20)])).toEqual([
      1000, 1000, 1040, 1020,
    ]);
    expect(timeline.stats.alignedStarts).toBe(1);
  });

  it.each([
    ['forward', 50_000_000],
    ['backward', -30_000],
  ])('goes on through a jump %s, with sound and picture together', (_, jump) => {
    const timeline = new Timeline();
    const samples = [...clip(100_000, 2000), ...clip(102_000 + jump, 2000)];
    const video = outOf(timeline, samples, VIDEO);
    expect(Math.max(...steps(video))).toBeLessThan(120);
    expect(Math.min(...steps(video))).toBeGreaterThan(0);
    const after = clip(104_000 + jump, 400);
    const out = after.map((s) => timeline.repair(s).sample);
    const skew = (out[1]?.dts ?? 0) - (out[0]?.dts ?? 0);
    expect(Math.abs(skew)).toBeLessThan(1000);
    expect(timeline.stats.forwardJumps + timeline.stats.backwardJumps).toBe(2);
  });

  it('keeps a track that still sends old timestamps on its old offset until it jumps too', () => {
    const timeline = new Timeline();
    run(timeline, clip(0, 1000));
    const mixed = [at(VIDEO, 90_000), at(AUDIO, 1000), at(AUDIO, 1020), at(VIDEO, 90_040), at(AUDIO, 90_040)];
    const [jumped = 0, old = 0, older = 0, next = 0, joined = 0] = run(timeline, mixed);
    expect(jumped).toBeGreaterThan(1960);
    expect(jumped).toBeLessThan(2080);
    expect([old, older]).toEqual([2000, 2020]);
    expect(next - jumped).toBe(40);
    expect(joined).toBe(next);
  });

  it.each([
    ['from 0', 0],
    ['where it was', 2000],
    ['anywhere', 77_777_777],
  ])('continues after a restart that begins %s', (_, from) => {
    const timeline = new Timeline();
    const before = outOf(timeline, clip(0, 2000), VIDEO);
    timeline.restart();
    const repaired = clip(from, 400).map((sample) => timeline.repair(sample));
    const first = repaired[0]?.sample.dts ?? 0;
    expect(first / 1000 - (before.at(-1) ?? 0)).toBeLessThan(120);
    expect(repaired.map((r) => r.discontinuity).filter(Boolean)).toHaveLength(2);
    expect((repaired[1]?.sample.dts ?? 0) - first).toBe(0);
  });

  it('nudges duplicates and small steps back, and says so', () => {
    const timeline = new Timeline();
    expect(run(timeline, [at(VIDEO, 0), at(VIDEO, 0), at(VIDEO, -5), at(VIDEO, 40)])).toEqual([1000, 1001, 1002, 1040]);
    expect(timeline.stats.nudged).toBe(2);
  });

  it('cuts absurd composition times', () => {
    const timeline = new Timeline();
    const { sample } = timeline.repair(at(VIDEO, 0, 3_600_000));
    expect(sample.pts - sample.dts).toBe(10_000_000);
    const { sample: negative } = timeline.repair(at(VIDEO, 40, -500));
    expect(negative.pts).toBe(negative.dts);
    expect(timeline.stats.clampedPts).toBe(2);
  });

  it('is not moved by the wrap of 32-bit milliseconds or 33-bit ticks', () => {
    const ms = new Timeline();
    let last = 2 ** 32 - 1000;
    const wrapped = Array.from({ length: 100 }, (_, i) => (2 ** 32 - 1000 + i * 40) % 2 ** 32);
    const out = run(
      ms,
      wrapped.map((value) => {
        last = unwrapCounter(last, value, 32);
        return at(VIDEO, last);
      }),
    );
    expect(new Set(steps(out))).toEqual(new Set([40]));
    const ticks = new Timeline();
    let lastTick = 2 ** 33 - 90_000;
    const inTicks = Array.from({ length: 100 }, (_, i) => (2 ** 33 - 90_000 + i * 3600) % 2 ** 33).map((value) => {
      lastTick = unwrapCounter(lastTick, value, 33);
      return {
        ...at(VIDEO, 0),
        dts: microsFromTicks90k(ticks90k(lastTick)),
        pts: microsFromTicks90k(ticks90k(lastTick)),
      };
    });
    expect(new Set(steps(run(ticks, inTicks)))).toEqual(new Set([40]));
  });

  it('stays exact after a year', () => {
    const timeline = new Timeline();
    const year = 365 * 86_400_000;
    let from = 0;
    run(timeline, [at(VIDEO, 0)]);
    for (; from < year; from += 9_000_000) run(timeline, [at(VIDEO, from)]);
    const out = run(
      timeline,
      clip(from, 400).filter((s) => s.track === VIDEO),
    );
    expect(new Set(steps(out))).toEqual(new Set([40]));
  });

  it('increases strictly and never leaps, whatever comes', () => {
    const step = fc.oneof(
      {
        weight: 20,
        arbitrary: fc.record({ track: fc.nat(2), by: fc.integer({ min: 0, max: 60 }), restart: fc.constant(false) }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          track: fc.nat(2),
          by: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
          restart: fc.boolean(),
        }),
      },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (script) => {
        const timeline = new Timeline();
        const inputs = new Map<number, number>();
        const outputs = new Map<number, number>();
        let latest = 0;
        for (const { track, by, restart } of script) {
          if (restart) timeline.restart();
          const input = (inputs.get(track) ?? 0) + by;
          inputs.set(track, input);
          const { sample } = timeline.repair(at(track, input, by % 7));
          const before = outputs.get(track);
          if (before !== undefined) expect(sample.dts).toBeGreaterThanOrEqual(before + 1000);
          expect(sample.pts).toBeGreaterThanOrEqual(sample.dts);
          expect(sample.dts).toBeGreaterThanOrEqual(0);
          if (latest > 0) expect(sample.dts - latest).toBeLessThanOrEqual(12_000_000);
          latest = Math.max(latest, sample.dts);
          outputs.set(track, sample.dts);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('goes on behind what was placed elsewhere, with sound and picture together', () => {
    const timeline = new Timeline();
    for (const sample of clip(60_000, 2000)) timeline.pass(sample);
    timeline.restart();
    const [picture = 0, sound = 0] = run(timeline, [at(VIDEO, 5), at(AUDIO, 25)]);
    expect(picture).toBeGreaterThan(61_980);
    expect(picture).toBeLessThan(62_100);
    expect(sound - picture).toBe(20);
  });
});
