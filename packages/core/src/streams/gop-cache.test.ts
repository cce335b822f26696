import { micros, type Sample } from '@sluice/media';
import { describe, expect, it } from 'vitest';
import { GopCache } from './gop-cache.js';

const LIMITS = { maxFrames: 10, maxBytes: 1000, maxDuration: micros(5_000_000) };
const sample = (kind: 'video' | 'audio', ms: number, keyframe = kind === 'audio', bytes = 10): Sample => ({
  track: kind === 'video' ? 0 : 1,
  kind,
  dts: micros(ms * 1000),
  pts: micros(ms * 1000),
  keyframe,
  data: Buffer.alloc(bytes),
});
const times = (cache: GopCache) => cache.samples.map(({ dts }) => dts / 1000);

describe('GopCache', () => {
  it('keeps what came since the last keyframe, sound too', () => {
    const cache = new GopCache(LIMITS);
    for (const ms of [0, 40]) cache.push(sample('video', ms, ms === 0));
    cache.push(sample('audio', 50));
    expect(times(cache)).toEqual([0, 40, 50]);
    cache.push(sample('video', 80, true));
    cache.push(sample('audio', 90));
    expect(times(cache)).toEqual([80, 90]);
    expect(cache.bytes).toBe(20);
  });

  it.each([
    ['frames', (ms: number) => sample('video', ms, ms === 0), 12],
    ['bytes', (ms: number) => sample('video', ms, ms === 0, 200), 7],
    ['time', (ms: number) => sample('video', ms * 30, ms === 0), 6],
  ])('gives a GOP up that has too many %s, and begins again at the next keyframe', (_, make, count) => {
    const cache = new GopCache(LIMITS);
    for (let frame = 0; frame < count; frame++) cache.push(make(frame * 40));
    expect([cache.samples.length, cache.bytes]).toEqual([0, 0]);
    cache.push(sample('video', 100_000, true));
    expect(times(cache)).toEqual([100_000]);
  });

  it('keeps nothing before the first keyframe, and the last second of a stream without video', () => {
    const cache = new GopCache(LIMITS);
    cache.push(sample('video', 0));
    cache.push(sample('audio', 10));
    expect(times(cache)).toEqual([]);
    const radio = new GopCache(LIMITS);
    for (let ms = 0; ms <= 3000; ms += 250) radio.push(sample('audio', ms));
    expect(times(radio)).toEqual([2000, 2250, 2500, 2750, 3000]);
  });
});
