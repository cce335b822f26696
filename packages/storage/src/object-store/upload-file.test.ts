import fc from 'fast-check';
import { expect, it } from 'vitest';
import { partBytesFor } from './upload-file.js';

it('cuts a file of any size that S3 takes into parts that S3 takes', () => {
  const [mib, tib] = [2 ** 20, 2 ** 40];
  expect(partBytesFor(8 * mib + 1)).toBe(8 * mib);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 * tib }), (bytes) => {
      const partBytes = partBytesFor(bytes);
      expect(Math.ceil(bytes / partBytes)).toBeLessThanOrEqual(10_000);
      expect(partBytes).toBeGreaterThanOrEqual(5 * mib);
      expect(partBytes).toBeLessThanOrEqual(5 * 2 ** 30);
    }),
  );
});
