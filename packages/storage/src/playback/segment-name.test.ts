import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSegmentName, segmentNameOf } from './segment-name.js';

describe('names of segments', () => {
  it('tell what they were made of', () => {
    const file = fc.stringMatching(/^[\w-]{1,40}$/);
    const counts = fc.tuple(fc.nat(100_000), fc.integer({ min: 1, max: 10_000 }));
    fc.assert(
      fc.property(file, counts, fc.integer({ min: -1e12, max: 1e12 }), (id, [first, count], offset) => {
        const name = { kind: 'media', file: id, first, end: first + count, offset } as const;
        expect(parseSegmentName(segmentNameOf(name))).toEqual({ ...name, offset: offset + 0 });
        const init = { kind: 'init', file: id } as const;
        expect(parseSegmentName(segmentNameOf(init))).toEqual(init);
      }),
    );
  });

  it('bear anything', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseSegmentName(text)));
    for (const wrong of [
      'a.5.5.0.m4s',
      'a.6.5.0.m4s',
      'a.-1.5.0.m4s',
      'a.1e3.5.0.m4s',
      '../a.init.mp4',
      'a.0.5.0.mp4',
    ]) {
      expect(parseSegmentName(wrong)).toBeUndefined();
    }
  });
});
