import { describe, expect, test } from 'vitest';
import {
  answerHandshake,
  beginDigestHandshake,
  beginHandshake,
  findDigest,
  HANDSHAKE_SIZE,
  verifyDigestAnswer,
} from './handshake.js';

/** Bytes that look random and are the same each time. */
const random = (size: number) => Buffer.from(Array.from({ length: size }, (_, index) => (index * 97 + 13) & 0xff));

const parts = (answer: Buffer) => ({
  s0: answer[0],
  s1: answer.subarray(1, 1 + HANDSHAKE_SIZE),
  s2: answer.subarray(1 + HANDSHAKE_SIZE),
});

describe('plain', () => {
  test('S2 echoes C1', () => {
    const c0c1 = beginHandshake(random);
    const { s0, s1, s2 } = parts(answerHandshake(c0c1, random));
    expect(s0).toBe(3);
    expect(s1.subarray(0, 8)).toEqual(Buffer.alloc(8));
    expect(s1.length).toBe(HANDSHAKE_SIZE);
    expect(s2).toEqual(c0c1.subarray(1));
  });

  test('a client that names a version but signs nothing is answered plainly', () => {
    const c0c1 = beginHandshake(random);
    c0c1.writeUInt32BE(0x09007c02, 5);
    expect(parts(answerHandshake(c0c1, random)).s2).toEqual(c0c1.subarray(1));
  });

  test.each([0, 6, 0x16, 0x47])('version %i is refused', (version) => {
    const c0c1 = beginHandshake(random);
    c0c1[0] = version;
    expect(() => answerHandshake(c0c1, random)).toThrow(expect.objectContaining({ code: 'handshake' }));
  });
});

describe.each([0, 1] as const)('with digests, layout %i', (layout) => {
  test('is answered in the same layout', () => {
    const c0c1 = beginDigestHandshake(random, layout);
    const { s1, s2 } = parts(answerHandshake(c0c1, random));
    expect(verifyDigestAnswer(c0c1.subarray(1), s1, s2)).toBe(true);
    expect(findDigest(s1, Buffer.from('Genuine Adobe Flash Media Server 001'))?.offsetsAt).toBe([8, 772][layout]);
  });

  test('the digest lies inside its block, wherever its offset sends it', () => {
    for (const fill of [0, 0x7f, 0xff]) {
      const c0c1 = beginDigestHandshake((size) => Buffer.alloc(size, fill), layout);
      expect(findDigest(c0c1.subarray(1))).toBeDefined();
    }
  });

  test('a broken digest is answered plainly', () => {
    const c0c1 = beginDigestHandshake(random, layout);
    c0c1[c0c1.length - 1]! ^= 1;
    expect(parts(answerHandshake(c0c1, random)).s2).toEqual(c0c1.subarray(1));
  });
});
