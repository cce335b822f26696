import { describe, expect, test } from 'vitest';
import { isAccessUnit, isKeyframe, MARK_BYTES, markAccessUnit, readMark } from './sei-mark.js';

const body = Buffer.from('17010000000000000565aabbccdd', 'hex');

describe('markAccessUnit', () => {
  test('puts an SEI before the NAL units and leaves all else as it was', () => {
    const marked = markAccessUnit(body, 0x01020304);
    expect(marked.toString('hex')).toBe(
      '1701000000' + '00000012' + '0605' + '66616e21' + '01020304' + '5555555555555580' + '0000000565aabbccdd',
    );
    expect(marked.length).toBe(body.length + MARK_BYTES);
  });

  test('is read back at any offset', () => {
    const marked = markAccessUnit(body, 0xfffffffe);
    expect(readMark(marked, 0)).toBe(0xfffffffe);
    expect(readMark(Buffer.concat([Buffer.alloc(7), marked]), 7)).toBe(0xfffffffe);
  });

  test('an unmarked access unit has none', () => {
    expect(readMark(Buffer.concat([body, Buffer.alloc(20)]), 0)).toBe(-1);
  });
});

test('access units and sequence headers are told apart', () => {
  expect(isAccessUnit(body)).toBe(true);
  expect(isAccessUnit(Buffer.from('1700000000', 'hex'))).toBe(false);
  expect(isAccessUnit(Buffer.from('af01', 'hex'))).toBe(false);
});

test('keyframes are told by the first byte, legacy and enhanced', () => {
  expect([0x17, 0x27, 0x91, 0xa1].map(isKeyframe)).toEqual([true, false, true, false]);
});
