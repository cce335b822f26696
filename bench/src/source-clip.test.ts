import type { FlvTag } from '@sluice/media';
import { expect, test } from 'vitest';
import { idleVersion, isHeader, roundMs } from './source-clip.js';

const tag = (type: 8 | 9 | 18, timestamp: number, hex: string): FlvTag => ({
  type,
  timestamp,
  body: Buffer.from(hex, 'hex'),
});
const clip = [
  tag(18, 0, '0200'),
  tag(9, 0, '1700000000'),
  tag(8, 0, 'af00'),
  tag(9, 0, '1701000000'),
  tag(8, 0, 'af01'),
  tag(9, 33, '2701000000'),
  tag(8, 500, 'af01'),
  tag(8, 1010, 'af01'),
  tag(9, 1020, '1701000000'),
];

test('script data and sequence headers are headers', () => {
  expect(clip.map(isHeader)).toEqual([true, true, true, false, false, false, false, false, false]);
});

test('a round ends one frame after the last tag', () => {
  expect(roundMs(clip)).toBe(1053);
});

test('the idle version keeps headers, one keyframe and an audio frame a second', () => {
  expect(idleVersion(clip)).toEqual([0, 1, 2, 3, 4, 7].map((index) => clip[index]));
});
