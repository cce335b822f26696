import { micros, type Sample } from '@sluice/media';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Interleaver } from './interleaver.js';

const sample = (kind: Sample['kind'], ms: number): Sample => {
  const time = micros(ms * 1000);
  return { track: kind === 'video' ? 0 : 1, kind, dts: time, pts: time, keyframe: true, data: Buffer.alloc(1) };
};
const timesOf = (samples: readonly Sample[]) => samples.map(({ kind, dts }) => `${kind[0]}${dts / 1000}`);

test('sound that comes later than its picture goes before the next one', () => {
  const interleaver = new Interleaver();
  expect(interleaver.push(sample('video', 0))).toEqual([]);
  expect(interleaver.push(sample('video', 33))).toEqual([]);
  expect(timesOf(interleaver.push(sample('audio', 5)))).toEqual(['v0', 'a5']);
  expect(timesOf(interleaver.push(sample('audio', 40)))).toEqual(['v33']);
});

test('a track that stays away is not waited for', () => {
  const interleaver = new Interleaver();
  const out = Array.from({ length: 30 }, (_, index) => interleaver.push(sample('video', index * 33))).flat();
  expect(out.length).toBeGreaterThan(15);
});

test('each track keeps its order, and nothing is lost but what still waits', () => {
  const arrivals = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 300 })), { maxLength: 200 });
  fc.assert(
    fc.property(arrivals, (list) => {
      const interleaver = new Interleaver();
      const at = { video: 0, audio: 0 };
      const out = list.flatMap(([isVideo, step]) => {
        const kind = isVideo ? 'video' : 'audio';
        at[kind] += step;
        return interleaver.push(sample(kind, at[kind]));
      });
      for (const kind of ['video', 'audio'] as const) {
        const times = out.filter((one) => one.kind === kind).map(({ dts }) => dts);
        expect(times).toEqual([...times].sort((a, b) => a - b));
      }
      expect(out.length).toBeLessThanOrEqual(list.length);
    }),
  );
});
