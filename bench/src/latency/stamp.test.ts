import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ageOf, isWhite, readStamp, STAMP_MODULUS } from './stamp.js';

describe('stamps in pictures', () => {
  it('are read as they were drawn, also from a picture that has suffered', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 41), fc.nat(75), (time, noise) => {
        const read = readStamp((column, row) => (isWhite(time, column, row) ? 235 - noise : 16 + noise));
        expect(read).toBe(time % STAMP_MODULUS);
      }),
    );
  });

  it('are not read from a grey picture', () => {
    expect(readStamp((column, row) => (column === 7 ? 120 : isWhite(5, column, row) ? 255 : 0))).toBeUndefined();
  });

  it('grow old over the wrap', () => {
    expect(ageOf(STAMP_MODULUS - 10, STAMP_MODULUS * 3 + 30)).toBe(40);
  });
});
