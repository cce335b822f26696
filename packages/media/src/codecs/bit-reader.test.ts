import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BitReader } from './bit-reader.js';

const fixed = (value: number, count: number) => (count === 0 ? '' : value.toString(2).padStart(count, '0'));
const golomb = (value: number) => {
  const binary = (value + 1).toString(2);
  return '0'.repeat(binary.length - 1) + binary;
};
const bytesOf = (bits: string) =>
  Buffer.from((bits.padEnd(Math.ceil(bits.length / 8) * 8, '0').match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));
const error = (code: string) => expect.objectContaining({ name: 'MediaError', code });

describe('BitReader', () => {
  it('reads back any fields, whatever their alignment', () => {
    const field = fc.oneof(
      fc
        .integer({ min: 0, max: 32 })
        .chain((count) => fc.nat(2 ** count - 1).map((value) => ({ kind: 'bits' as const, count, value }))),
      fc.nat(2 ** 32 - 2).map((value) => ({ kind: 'ue' as const, count: 0, value })),
      fc.integer({ min: -(2 ** 31 - 1), max: 2 ** 31 - 1 }).map((value) => ({ kind: 'se' as const, count: 0, value })),
    );
    fc.assert(
      fc.property(fc.array(field, { maxLength: 12 }), (fields) => {
        const written = fields.map(({ kind, count, value }) =>
          kind === 'bits'
            ? fixed(value, count)
            : golomb(kind === 'ue' ? value : value > 0 ? 2 * value - 1 : -2 * value),
        );
        const reader = new BitReader(bytesOf(written.join('')));
        for (const { kind, count, value } of fields) {
          // The generator has zeros of both signs.
          expect(kind === 'bits' ? reader.bits(count) : kind === 'ue' ? reader.ue() : reader.se()).toBe(value + 0);
        }
        expect(reader.remaining).toBeLessThan(8);
      }),
    );
  });

  it('reads the codes of the specification', () => {
    // H.264 tables 9-2 and 9-3
    const reader = new BitReader(bytesOf(['1', '010', '011', '00100', '00101'].join('')));
    expect([reader.ue(), reader.ue(), reader.ue(), reader.ue(), reader.ue()]).toEqual([0, 1, 2, 3, 4]);
    const signed = new BitReader(bytesOf(['1', '010', '011', '00100', '00101'].join('')));
    expect([signed.se(), signed.se(), signed.se(), signed.se(), signed.se()]).toEqual([0, 1, -1, 2, -2]);
  });

  it('says where the bytes end, and reads nothing then', () => {
    const reader = new BitReader(Buffer.from([0xa5]));
    expect(() => reader.bits(9)).toThrow(error('truncated'));
    expect(() => reader.skip(9)).toThrow(error('truncated'));
    expect(reader.bits(8)).toBe(0xa5);
    expect(() => reader.flag()).toThrow(error('truncated'));
    expect(() => new BitReader(Buffer.alloc(2)).ue()).toThrow(error('truncated'));
    expect(() => new BitReader(Buffer.alloc(100)).ue()).toThrow(error('malformed'));
    expect(() => new BitReader(bytesOf('0'.repeat(32) + '1'.repeat(40))).ue()).toThrow(error('malformed'));
    expect(new BitReader(bytesOf('0'.repeat(31) + '1'.repeat(40))).ue()).toBe(2 ** 32 - 2);
  });
});
