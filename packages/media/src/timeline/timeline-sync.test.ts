import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Sample } from '../sample.js';
import { micros, unwrapCounter } from '../time.js';
import { type RepairedSample, Timeline } from './timeline.js';

const DATA = Buffer.alloc(1);
const VIDEO = 0;
const AUDIO = 1;

/** A sample that remembers when it was really taken, in ms of an honest clock, so that sync can be judged by it. */
interface Taken {
  readonly sample: Sample;
  readonly taken: number;
}

const taken = (track: number, time: number, clock: number): Taken => ({
  taken: time,
  sample: {
    track,
    kind: track === VIDEO ? 'video' : 'audio',
    dts: micros(clock * 1000),
    pts: micros(clock * 1000),
    keyframe: true,
    data: DATA,
  },
});

type ClockOf = (time: number, track: number) => number;
/** Ms from sample to sample: of 25 fps and 20 ms Opus, unless told otherwise. */
const RATES = { video: 40, audio: 20 };

/** Video and audio between two honest times; audio arrives `lag` ms after the video it belongs to. */
function encode(from: number, to: number, clockOf: ClockOf, lag = 0, rates = RATES): Taken[] {
  const samples: { arrives: number; is: Taken }[] = [];
  const add = (track: number, every: number, late: number) => {
    for (let i = Math.ceil(from / every); i * every < to; i++) {
      samples.push({ arrives: i * every + late, is: taken(track, i * every, clockOf(i * every, track)) });
    }
  };
  add(VIDEO, rates.video, 0);
  add(AUDIO, rates.audio, lag);
  return samples.sort((a, b) => a.arrives - b.arrives).map((s) => s.is);
}

const repairAll = (timeline: Timeline, samples: readonly Taken[]): (Taken & { readonly out: RepairedSample })[] =>
  samples.map((s) => ({ ...s, out: timeline.repair(s.sample) }));

/** How far, in ms, the last samples of sound and picture have come apart: 0 in perfect sync. */
function desync(repaired: readonly (Taken & { readonly out: RepairedSample })[]): number {
  const shift = (track: number) => {
    const last = repaired.findLast((r) => r.sample.track === track)!;
    return last.out.sample.dts / 1000 - last.taken;
  };
  return shift(AUDIO) - shift(VIDEO);
}

/** The largest step of a track's output, in ms. */
function largestStep(repaired: readonly (Taken & { readonly out: RepairedSample })[], track: number): number {
  const dts = repaired.filter((r) => r.sample.track === track).map((r) => r.out.sample.dts / 1000);
  return Math.max(...dts.slice(1).map((value, i) => value - dts[i]!));
}

describe('Timeline keeps sound and picture together', () => {
  it.each([
    ['far ahead', 7_000_000],
    ['1 s ahead', 986],
    ['1.5 s ahead', 1_500],
    ['3 s ahead, which might be a pause', 3_000],
    ['7 s ahead, which might be a pause', 7_000],
    ['just past what might be a pause', 10_200],
    ['1 s ago', -1_001],
    ['2 s ago', -2_042],
    ['of long ago', -9_000],
  ])('when one picture alone has a timestamp %s', (_, wrong) => {
    const timeline = new Timeline();
    const out = repairAll(
      timeline,
      encode(20_000, 35_000, (t, track) => (track === VIDEO && t === 24_000 ? t + wrong : t)),
    );
    expect(desync(out)).toBe(0);
  });

  it('when the clock is set back to about where a wrong timestamp was some seconds ago', () => {
    const clock: ClockOf = (t, track) => (track === VIDEO && t === 2000 ? t + 4738 : t < 10_000 ? t : t - 1262);
    expect(desync(repairAll(new Timeline(), encode(0, 20_000, clock)))).toBe(0);
  });

  it('when ten single timestamps were wrong: errors do not add up', () => {
    const timeline = new Timeline();
    const out = repairAll(
      timeline,
      encode(0, 30_000, (t, track) => (track === VIDEO && t > 0 && t % 2000 === 0 ? t + 5_000_000 : t)),
    );
    expect(desync(out)).toBe(0);
  });

  it('when a track is silent for longer than a jump and the other goes on', () => {
    const timeline = new Timeline();
    const samples = encode(0, 60_000, (t) => t).filter(
      (s) => s.sample.track === VIDEO || s.taken < 5000 || s.taken > 45_000,
    );
    const out = repairAll(timeline, samples);
    expect(desync(out)).toBe(0);
    expect(out.filter((r) => r.out.discontinuity)).toEqual([]);
    expect(timeline.stats.forwardJumps).toBe(0);
  });

  it('when pictures are 15 s apart, as of a still page', () => {
    const timeline = new Timeline();
    const samples = encode(0, 90_000, (t) => t, 60).filter((s) => s.sample.track === AUDIO || s.taken % 15_000 === 0);
    expect(desync(repairAll(timeline, samples))).toBe(0);
    expect(timeline.stats.forwardJumps).toBe(0);
  });

  it('when the clock is set back while a track is silent', () => {
    const timeline = new Timeline();
    const samples = encode(100_000, 160_000, (t) => (t < 120_000 ? t : t - 30_000)).filter(
      (s) => s.sample.track === VIDEO || s.taken < 105_000 || s.taken > 155_000,
    );
    expect(desync(repairAll(timeline, samples))).toBe(0);
  });

  it.each([300, -300])('when tracks with clocks of their own jump by the same amount (sound %i ms later)', (lag) => {
    const timeline = new Timeline();
    const clock = (t: number, track: number) => t + (track === AUDIO ? 50_000_000 : 0) + (t < 5000 ? 0 : 900_000);
    // Sound begins later, so that it is the one to be aligned, whichever jumps first.
    const samples = encode(0, 10_000, clock, lag).filter((s) => s.sample.track === VIDEO || s.taken >= 400);
    const before = desync(repairAll(timeline, samples.slice(0, 200)));
    expect(desync(repairAll(timeline, samples.slice(200)))).toBe(before);
    expect(timeline.stats.alignedStarts).toBe(1);
  });

  it.each([-920, -980, -1000])('when the clock is set back by %i ms, which is about as much as makes a jump', (by) => {
    const out = repairAll(
      new Timeline(),
      encode(0, 20_000, (t) => (t < 8000 ? t : t + by)),
    );
    expect(desync(out)).toBe(0);
  });

  it('when a file is played in a loop', () => {
    const timeline = new Timeline();
    const out = repairAll(
      timeline,
      encode(0, 60_000, (t) => t % 6000, 100),
    );
    expect(desync(out)).toBe(0);
    expect(largestStep(out, VIDEO)).toBeLessThan(300);
  });

  it.each([3, 7])('when sound begins %i s after a restart, as it does at the first start', (seconds) => {
    const timeline = new Timeline();
    const late = (from: number) =>
      encode(0, 15_000, (t) => t)
        .filter((s) => s.sample.track === VIDEO || s.taken >= seconds * 1000)
        .map((s) => ({ ...s, taken: s.taken + from }));
    expect(desync(repairAll(timeline, late(0)))).toBe(0);
    timeline.restart();
    expect(desync(repairAll(timeline, late(20_000)))).toBe(0);
  });

  it('when a restarted encoder sends a few seconds of one track first', () => {
    const timeline = new Timeline();
    repairAll(
      timeline,
      encode(0, 5000, (t) => t),
    );
    timeline.restart();
    expect(
      desync(
        repairAll(
          timeline,
          encode(0, 10_000, (t) => t, 4000),
        ),
      ),
    ).toBe(0);
  });

  it('when sound comes 2.5 s before the picture that arrived first', () => {
    const timeline = new Timeline();
    const samples = encode(0, 10_000, (t) => t, 2500).filter((s) => s.sample.track === AUDIO || s.taken >= 2480);
    const out = repairAll(timeline, samples);
    expect(desync(out)).toBe(0);
    expect(Math.min(...out.map((r) => r.out.sample.dts))).toBeGreaterThanOrEqual(0);
  });

  it('does not pile a track up at the start that claims to be 9 s older than what is out already', () => {
    const timeline = new Timeline();
    const out = repairAll(
      timeline,
      encode(0, 3000, (t, track) => t + (track === VIDEO ? 9000 : 0)),
    );
    expect(timeline.stats.nudged).toBe(0);
    expect(timeline.stats.alignedStarts).toBe(1);
    expect(largestStep(out, AUDIO)).toBe(20);
  });
});

describe('Timeline never piles samples up for long', () => {
  it('in a stream of one track, where a wrong timestamp leaves nothing out of sync', () => {
    const timeline = new Timeline();
    const samples = encode(0, 20_000, (t) => (t === 8000 ? t + 5000 : t)).filter((s) => s.sample.track === VIDEO);
    repairAll(timeline, samples);
    expect(timeline.stats).toMatchObject({ nudged: 0, backwardJumps: 1 });
  });

  it('after a track that paused for half a minute takes it back', () => {
    const timeline = new Timeline();
    const clock: ClockOf = (t, track) => (track === VIDEO && t >= 45_000 ? t - 39_000 : t);
    const samples = encode(0, 60_000, clock).filter(
      (s) => s.sample.track === AUDIO || s.taken < 5000 || (s.taken >= 40_000 && s.taken < 40_040) || s.taken >= 45_000,
    );
    repairAll(timeline, samples);
    expect(timeline.stats).toMatchObject({ nudged: 0, backwardJumps: 1 });
  });
});

describe('Timeline against timestamps that are no use', () => {
  it.each([
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['2^60', 2 ** 60],
  ])('goes on by the usual step where a dts is %s', (_, bad) => {
    const timeline = new Timeline();
    const good = encode(0, 4000, (t) => t);
    const samples = good.map((s) =>
      s.taken === 2000 || s.taken === 0 ? { ...s, sample: { ...s.sample, dts: micros(bad), pts: micros(bad) } } : s,
    );
    const out = repairAll(timeline, samples);
    expect(Math.abs(desync(out))).toBeLessThanOrEqual(0);
    for (const { out: o } of out) {
      expect(Number.isSafeInteger(o.sample.dts)).toBe(true);
      expect(o.sample.pts).toBe(o.sample.dts);
    }
    expect(largestStep(out, VIDEO)).toBeLessThan(100);
  });

  it('takes the dts for a pts that is NaN', () => {
    const { sample } = new Timeline().repair({ ...taken(VIDEO, 0, 0).sample, pts: micros(Number.NaN) });
    expect(sample.pts).toBe(sample.dts);
  });

  it('gives whole microseconds for fractions', () => {
    const { sample } = new Timeline().repair({ ...taken(VIDEO, 0, 0).sample, dts: micros(0.4), pts: micros(20.6) });
    expect([Number.isInteger(sample.dts), Number.isInteger(sample.pts)]).toEqual([true, true]);
  });

  it('moves on from a clock that creeps backward or stands still', () => {
    for (const step of [0, -800]) {
      const timeline = new Timeline();
      const samples = Array.from({ length: 3000 }, (_, i) => taken(VIDEO, i * 40, i < 10 ? i * 40 : 400 + i * step));
      repairAll(timeline, samples);
      expect(timeline.stats.backwardJumps).toBeGreaterThan(0);
    }
  });

  it('keeps its usual step through a gap, so that a restart does not gape', () => {
    const timeline = new Timeline();
    repairAll(
      timeline,
      encode(0, 20_000, (t) => (t < 19_960 ? t : t + 8000)),
    );
    const last = timeline.repair(taken(VIDEO, 0, 28_000).sample).sample.dts;
    timeline.restart();
    expect(timeline.repair(taken(VIDEO, 0, 0).sample).sample.dts - last).toBeLessThan(100_000);
  });

  it('does not take its first place for a step', () => {
    const timeline = new Timeline();
    const first = timeline.repair(taken(VIDEO, 0, 0).sample).sample.dts;
    timeline.restart();
    expect(timeline.repair(taken(VIDEO, 0, 0).sample).sample.dts - first).toBeLessThan(25_000);
  });

  it('marks a track that is new in a restarted publication', () => {
    const timeline = new Timeline();
    timeline.restart();
    expect(timeline.repair(taken(VIDEO, 0, 0).sample).discontinuity).toBe(false);
    timeline.restart();
    expect(timeline.repair(taken(VIDEO, 0, 0).sample).discontinuity).toBe(true);
    expect(timeline.repair(taken(AUDIO, 0, 0).sample).discontinuity).toBe(true);
    expect(timeline.repair(taken(AUDIO, 20, 20).sample).discontinuity).toBe(false);
  });
});

describe('Timeline over whole broadcasts', () => {
  /** An encoder's misdeeds, each at a time of its own. */
  const misdeed = fc.oneof(
    fc.record({ kind: fc.constant('jump' as const), by: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }) }),
    fc.record({
      kind: fc.constant('jump' as const),
      // Within some ms of the limit the tracks may disagree on whether they jumped.
      by: fc.integer({ min: -1500, max: 12_000 }).filter((by) => Math.abs(by + 950) > 10),
    }),
    fc.record({ kind: fc.constant('glitch' as const), by: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }) }),
    fc.record({ kind: fc.constant('glitch' as const), by: fc.integer({ min: -12_000, max: 7_000 }) }),
    fc.record({ kind: fc.constant('restart' as const), by: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }) }),
  );

  const rates = fc.constantFrom(
    RATES,
    { video: 1001 / 30, audio: 1024 / 44.1 },
    { video: 1000 / 60, audio: 1024 / 48 },
    { video: 200, audio: 1152 / 48 },
  );

  it.each([
    ['32-bit milliseconds', 32, 1],
    ['33-bit ticks', 33, 90],
  ])('stays in sync, in order and without holes: %s that wrap, jumps, glitches, restarts', (_, bits, perMs) => {
    const range = 2 ** bits;
    const lag = fc.integer({ min: -700, max: 700 });
    const beforeWrap = fc.nat(60_000);
    fc.assert(
      fc.property(fc.array(misdeed, { maxLength: 4 }), lag, beforeWrap, rates, (misdeeds, lag, beforeWrap, rates) => {
        const timeline = new Timeline();
        const counters = new Map<number, number>();
        const last = new Map<number, number>();
        let clock = Math.floor(range / perMs) - beforeWrap;
        let latest = Number.POSITIVE_INFINITY;
        let smallestStep = Number.POSITIVE_INFINITY;
        let largestLead = 0;
        /** As a protocol's reader does: off the wire with so many bits, unwrapped, in microseconds. */
        const received = ({ sample }: Taken): Sample => {
          const wire = (((Math.round((sample.dts / 1000) * perMs) % range) + range) % range) as number;
          const ticks = unwrapCounter(counters.get(sample.track) ?? wire, wire, bits);
          counters.set(sample.track, ticks);
          const dts = micros(Math.round((ticks / perMs) * 1000));
          return { ...sample, dts, pts: dts };
        };
        for (const [i, done] of [undefined, ...misdeeds].entries()) {
          if (done?.kind === 'jump' || done?.kind === 'restart') clock += done.by;
          if (done?.kind === 'restart') {
            timeline.restart();
            counters.clear();
          }
          const from = i * 10_000;
          const isGlitch = (t: number, track: number) =>
            done?.kind === 'glitch' && track === VIDEO && t >= from + 2000 && t < from + 2000 + rates.video;
          const clockOf: ClockOf = (t, track) => clock + t + (done && isGlitch(t, track) ? done.by : 0);
          const out = encode(from, from + 10_000, clockOf, lag, rates).map((s) => {
            const repaired = timeline.repair(received(s));
            const { track, dts } = repaired.sample;
            smallestStep = Math.min(smallestStep, dts - (last.get(track) ?? Number.NEGATIVE_INFINITY));
            largestLead = Math.max(largestLead, dts - latest);
            latest = Number.isFinite(latest) ? Math.max(latest, dts) : dts;
            last.set(track, dts);
            return { ...s, out: repaired };
          });
          expect(Math.abs(desync(out))).toBeLessThanOrEqual(1.1);
        }
        expect(smallestStep).toBeGreaterThanOrEqual(1000);
        // What may be a pause stays one; everything else goes on without a hole.
        expect(largestLead).toBeLessThanOrEqual(10_500_000);
      }),
      { numRuns: 150 },
    );
  });
});
