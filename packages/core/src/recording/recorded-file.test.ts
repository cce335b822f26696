import { millis } from '@sluice/media';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { liveEndOf, liveTimeAt, mediaTimeAt } from './recorded-file.js';

const GAPS = [
  { at: 5000, missing: 60_000, reason: 'paused' },
  { at: 3000, missing: 1000, reason: 'encoder-away' },
] as const;
const FILE = { startedAt: millis(1_000_000), duration: 9000, gaps: GAPS };

describe('times of a recorded file', () => {
  it.each([
    [1_000_000, 0],
    [1_002_999, 2999],
    [1_003_000, 3000],
    [1_003_500, 3000],
    [1_004_500, 3500],
    [1_006_000, 5000],
    [1_030_000, 5000],
    [1_067_000, 6000],
    [999_000, -1000],
  ])('at %i it is in %i', (live, media) => {
    expect(mediaTimeAt(FILE, live)).toBe(media);
  });

  it('finds the place in the media of every live time', () => {
    fc.assert(
      fc.property(fc.nat(9000), (at) => {
        expect(mediaTimeAt(FILE, liveTimeAt(FILE, at))).toBe(at);
      }),
    );
    expect(liveEndOf(FILE)).toBe(1_070_000);
  });
});
