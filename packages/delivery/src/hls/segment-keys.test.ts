import { createDecipheriv } from 'node:crypto';
import { micros, millis } from '@sluice/media';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EncryptionMethod, Segment } from './segment.js';
import { SegmentKeys } from './segment-keys.js';

const segment = (number: number, bytes: Buffer): Segment => ({
  number,
  startedAt: millis(0),
  discontinuity: false,
  init: undefined,
  independent: true,
  parts: [],
  bytes,
  duration: micros(1),
});

/** Keys whose bytes count up, over segments of which those from `held.from` on can be had. */
function keysOf(method: EncryptionMethod, rotateAfter: number) {
  const held = { from: 0 };
  let drawn = 0;
  const random = (size: number) => Buffer.alloc(size, ++drawn);
  return { keys: new SegmentKeys({ method, rotateAfter, random, isHeld: (number) => number >= held.from }), held };
}

describe('SegmentKeys', () => {
  it('encrypts a segment so that its key and its number open it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1000 }), fc.nat({ max: Number.MAX_SAFE_INTEGER }), (data, number) => {
        const { keys } = keysOf('AES-128', 3);
        const { bytes, key } = keys.encrypt(segment(number, Buffer.from(data)));
        expect(bytes.length).toBe(data.length - (data.length % 16) + 16);
        // RFC 8216 §5.2: the media sequence number in big endian, with zeros before it.
        const iv = Buffer.from(number.toString(16).padStart(32, '0'), 'hex');
        const decipher = createDecipheriv('aes-128-cbc', keys.bytes(key?.number ?? -1) ?? '', iv);
        expect(Buffer.concat([decipher.update(bytes), decipher.final()]).equals(data)).toBe(true);
      }),
    );
  });

  it('takes a new key after so many segments, or none ever', () => {
    const numbers = (rotateAfter: number) => {
      const { keys } = keysOf('AES-128', rotateAfter);
      return [5, 6, 7, 8, 9, 10].map((number) => keys.keyOf(number).number);
    };
    expect(numbers(2)).toEqual([0, 0, 1, 1, 2, 2]);
    expect(numbers(1)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(numbers(0)).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('waits with a new key where the segment has to go on with the old one', () => {
    const { keys } = keysOf('SAMPLE-AES', 2);
    const took = [true, true, false, false, true, true].map((may, number) => keys.keyOf(number, may).number);
    expect(took).toEqual([0, 0, 0, 0, 1, 1]);
  });

  it('makes a key, an IV and an id of its own each time, and tells nothing but the IV', () => {
    const { keys } = keysOf('SAMPLE-AES', 1);
    const [one, two] = [keys.keyOf(0), keys.keyOf(1)];
    expect([one, two]).toEqual([
      { number: 0, method: 'SAMPLE-AES', iv: Buffer.alloc(16, 2) },
      { number: 1, method: 'SAMPLE-AES', iv: Buffer.alloc(16, 5) },
    ]);
    expect(keys.secretOf(two)).toEqual({
      key: Buffer.alloc(16, 4),
      iv: Buffer.alloc(16, 5),
      keyId: Buffer.alloc(16, 6),
    });
    expect(keysOf('AES-128', 1).keys.keyOf(0)).toEqual({ number: 0, method: 'AES-128' });
  });

  it('holds a key as long as a segment that needs it can be had', () => {
    const { keys, held } = keysOf('AES-128', 2);
    for (let number = 0; number < 6; number++) keys.keyOf(number);
    const there = () => [0, 1, 2, 3].map((number) => keys.bytes(number) !== undefined);
    expect(there()).toEqual([true, true, true, false]);
    held.from = 1;
    expect(there()).toEqual([true, true, true, false]);
    held.from = 2;
    expect(there()).toEqual([false, true, true, false]);
    // The one that is in use is held, whatever there is.
    held.from = 100;
    expect(there()).toEqual([false, false, true, false]);
    expect(() => keys.secretOf({ number: 0, method: 'AES-128' })).toThrow('key 0 is no longer held');
  });
});
