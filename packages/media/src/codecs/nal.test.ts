import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  joinAnnexB,
  joinLengthPrefixed,
  removeEmulationPrevention,
  splitAnnexB,
  splitLengthPrefixed,
  withFourByteLengths,
} from './nal.js';
import { MAX_UNITS_PER_SAMPLE } from './unit-count.js';

const hex = (digits: string) => Buffer.from(digits.replaceAll(' ', ''), 'hex');
const error = (code: string) => expect.objectContaining({ name: 'MediaError', code });
/** Payloads that are full of what looks like start codes. */
const payload = fc
  .array(fc.constantFrom(0, 0, 0, 1, 2, 3, 4, 0x65, 0xff), { minLength: 1, maxLength: 40 })
  .map((bytes) => Buffer.from(bytes));

/** What an encoder does to a payload, H.264 §7.4.1. */
function protectedUnit(bytes: Buffer): Buffer {
  const unit: number[] = [0x65];
  let zeros = 0;
  for (const byte of bytes) {
    if (zeros >= 2 && byte <= 3) {
      unit.push(3);
      zeros = 0;
    }
    unit.push(byte);
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  // rbsp_trailing_bits()
  return Buffer.from([...unit, 0x80]);
}

describe('NAL units', () => {
  it('are found behind start codes of 3 and 4 bytes, between zeros', () => {
    const stream = hex('0000 000001 09f0 00000001 6764 000000 000001 6500000301 0000');
    expect(splitAnnexB(stream)).toEqual([hex('09f0'), hex('6764'), hex('6500000301')]);
    expect(splitAnnexB(hex('0102 000001 65'))).toEqual([hex('65')]);
    for (const nothing of ['', '00', '000001', '0000000001', '000001 000001', '6501020304']) {
      expect(splitAnnexB(hex(nothing))).toEqual([]);
    }
  });

  it('come back from either form', () => {
    fc.assert(
      fc.property(fc.array(payload.map(protectedUnit), { maxLength: 6 }), (units) => {
        expect(splitAnnexB(joinAnnexB(units))).toEqual(units);
        expect(splitLengthPrefixed(joinLengthPrefixed(units), 4)).toEqual(units);
      }),
    );
  });

  it('lose their emulation prevention, and nothing else', () => {
    fc.assert(
      fc.property(payload, (bytes) => {
        const expected = Buffer.concat([Buffer.from([0x65]), bytes, Buffer.from([0x80])]);
        expect(removeEmulationPrevention(protectedUnit(bytes))).toEqual(expected);
      }),
    );
    expect(removeEmulationPrevention(hex('6500000300000301'))).toEqual(hex('6500000000' + '01'));
    const plain = hex('65010203');
    expect(removeEmulationPrevention(plain)).toBe(plain);
  });

  it('are split by lengths of any size, and made 4 bytes', () => {
    expect(splitLengthPrefixed(hex('02 6501 00 01 06'), 1)).toEqual([hex('6501'), hex('06')]);
    expect(splitLengthPrefixed(hex('0002 6501 0001 06'), 2)).toEqual([hex('6501'), hex('06')]);
    expect(withFourByteLengths(hex('0002 6501 0001 06'), 2)).toEqual(hex('00000002 6501 00000001 06'));
    const sample = hex('00000002 6501');
    expect(withFourByteLengths(sample, 4)).toBe(sample);
  });

  it('are refused where their lengths lie', () => {
    expect(() => splitLengthPrefixed(hex('00000003 6501'), 4)).toThrow(error('malformed'));
    expect(() => splitLengthPrefixed(hex('ffffffff 6501'), 4)).toThrow(error('malformed'));
    expect(() => splitLengthPrefixed(hex('00000001 65 0000'), 4)).toThrow(error('truncated'));
    expect(() => withFourByteLengths(hex('00000003 6501'), 4)).toThrow(error('malformed'));
  });

  it('are refused where there are more than any encoder makes', () => {
    const units = Array.from({ length: MAX_UNITS_PER_SAMPLE }, () => Buffer.from([0x65]));
    expect(splitLengthPrefixed(joinLengthPrefixed(units), 4)).toHaveLength(MAX_UNITS_PER_SAMPLE);
    expect(splitAnnexB(joinAnnexB(units))).toHaveLength(MAX_UNITS_PER_SAMPLE);
    const one = Buffer.from([0x65]);
    expect(() => splitLengthPrefixed(joinLengthPrefixed([...units, one]), 4)).toThrow(error('too-large'));
    expect(() => splitAnnexB(joinAnnexB([...units, one]))).toThrow(error('too-large'));
    // Empty ones are not kept, and cost nothing.
    expect(splitLengthPrefixed(Buffer.alloc(1 << 20), 4)).toEqual([]);
  });
});
