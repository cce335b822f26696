import { describe, expect, it } from 'vitest';
import {
  av1TrackConfig,
  buildAv1C,
  parseAv1C,
  parseAv1SequenceHeader,
  splitObus,
  stripTemporalDelimiters,
} from './av1.js';
import { MAX_UNITS_PER_SAMPLE } from './unit-count.js';

const hex = (digits: string) => Buffer.from(digits.replaceAll(' ', ''), 'hex');
const error = (code: string) => expect.objectContaining({ name: 'MediaError', code });

/** av1C records as ffmpeg writes them for libaom, SVT-AV1 and rav1e. */
const RECORDS = [
  ['libaom', '81000c000a0b000000043cfeccdaf90040', 'av01.0.00M.08', 320, 180, '2.0', 'Main'],
  ['libaom, 4:4:4 of 10 bits', '812040000a0a200000043cfeccdaf942', 'av01.1.00M.10', 320, 180, '2.0', 'High'],
  ['libaom, monochrome', '81001c000a0a000000043cfeccdaf92a', 'av01.0.00M.08', 320, 180, '2.0', 'Main'],
  ['SVT-AV1', '81050c000a0b0000002d4cffb3c02f8004', 'av01.0.05M.08', 1280, 720, '3.1', 'Main'],
  ['rav1e', '811f0c000a0e000000fa1e7f66210a88101010a0', 'av01.0.31M.08', 320, 180, undefined, 'Main'],
] as const;
const RECORD = hex(RECORDS[0][1]);

const u = (value: number, count: number) => value.toString(2).padStart(count, '0');
const bytesOf = (bits: string) =>
  Buffer.from((bits.padEnd(Math.ceil(bits.length / 8) * 8, '0').match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));

/** A sequence header with timing, a decoder model and two operating points, AV1 §5.5.1. */
function timedHeader(ticksInPicture: string): Buffer {
  const timing = ['1', u(20_000_000, 32), u(1_200_000_000, 32), ticksInPicture];
  const decoderModel = ['1', u(9, 5), u(1, 32), u(4, 5), u(6, 5)];
  const first = [u(0x101, 12), u(13, 5), '1', '1', u(5, 10), u(6, 10), '0', '1', u(3, 4)];
  const second = [u(0x001, 12), u(4, 5), '0', '0'];
  const size = [u(10, 4), u(10, 4), u(1919, 11), u(1079, 11), '0'];
  const tools = ['000', '0000', '1', '00', '1', '1', '110', '000'];
  // 10 bits, described as BT.2020 with PQ
  const color = ['1', '0', '1', u(9, 8), u(16, 8), u(9, 8), '0', '10', '0', '0'];
  return bytesOf(
    ['000', '0', '0', ...timing, ...decoderModel, '1', u(1, 5), ...first, ...second, ...size, ...tools, ...color].join(
      '',
    ),
  );
}

describe('AV1 configurations', () => {
  it.each(RECORDS)('%s', (_, digits, codecString, width, height, level, profile) => {
    const record = hex(digits);
    const config = av1TrackConfig(0, record);
    expect(config).toMatchObject({ codecString, width, height, profile });
    expect(config.level).toBe(level);
    expect(buildAv1C(parseAv1C(record).configObus)).toEqual(record);
  });

  it('are built of a sequence header without a size field too', () => {
    const { configObus } = parseAv1C(RECORD);
    const bare = Buffer.concat([Buffer.from([0x08]), configObus.subarray(2)]);
    expect(buildAv1C(bare)).toEqual(RECORD);
  });

  it('are refused without a sequence header, or with a forged one', () => {
    expect(() => av1TrackConfig(0, RECORD.subarray(0, 4))).toThrow(error('unsupported'));
    expect(() => av1TrackConfig(0, RECORD.subarray(0, 3))).toThrow(error('truncated'));
    expect(() => av1TrackConfig(0, RECORD.subarray(0, 12))).toThrow(error('truncated'));
    expect(() => av1TrackConfig(0, Buffer.concat([hex('01'), RECORD.subarray(1)]))).toThrow(error('malformed'));
    expect(() => buildAv1C(hex('1200'))).toThrow(error('malformed'));
    expect(() => parseAv1SequenceHeader(hex('e0000000'))).toThrow(error('malformed'));
  });
});

describe('AV1 sequence headers', () => {
  it('are read through timing, decoder model and operating points', () => {
    const values = {
      ...{ profile: 0, levelIdx: 13, tier: 1, width: 1920, height: 1080, bitDepth: 10, monochrome: false },
      ...{ subsamplingX: 1, subsamplingY: 1, chromaSamplePosition: 2 },
      colour: { primaries: 9, transfer: 16, matrix: 9, fullRange: false },
    };
    // One tick in a picture, two ticks, and no promise.
    expect(parseAv1SequenceHeader(timedHeader('11'))).toEqual({ ...values, frameRate: 60 });
    expect(parseAv1SequenceHeader(timedHeader('1010'))).toEqual({ ...values, frameRate: 30 });
    expect(parseAv1SequenceHeader(timedHeader('0'))).toEqual(values);
  });

  it('are read in their reduced form', () => {
    const reduced = [
      '000',
      '1',
      '1',
      u(8, 5),
      u(7, 4),
      u(6, 4),
      u(199, 8),
      u(99, 7),
      '000',
      '000',
      '0',
      '0',
      '0',
      '0',
      '00',
    ];
    expect(parseAv1SequenceHeader(bytesOf(reduced.join('')))).toMatchObject({ levelIdx: 8, width: 200, height: 100 });
  });
});

describe('OBUs', () => {
  it('are split by their sizes, the last one with or without', () => {
    const unit = hex('1200 0a01aa 36 00 02bbcc 30 dd ee');
    expect(splitObus(unit).map(({ type, payload }) => [type, payload.toString('hex')])).toEqual([
      [2, ''],
      [1, 'aa'],
      [6, 'bbcc'],
      [6, 'ddee'],
    ]);
    expect(Buffer.concat(splitObus(unit).map((obu) => obu.bytes))).toEqual(unit);
    expect(splitObus(Buffer.alloc(0))).toEqual([]);
  });

  it('have sizes of up to 8 bytes', () => {
    const payload = Buffer.alloc(300, 7);
    const sized = (size: string) => Buffer.concat([hex(`32 ${size}`), payload]);
    expect(splitObus(sized('ac02'))[0]?.payload).toEqual(payload);
    expect(splitObus(sized('ac82808080808000'))[0]?.payload).toEqual(payload);
    expect(() => splitObus(sized('ad02'))).toThrow(error('truncated'));
    expect(() => splitObus(sized('808080808080808001'))).toThrow(error('malformed'));
    expect(() => splitObus(hex('32 80'))).toThrow(error('truncated'));
    expect(() => splitObus(hex('36'))).toThrow(error('truncated'));
    expect(() => splitObus(hex('b200'))).toThrow(error('malformed'));
  });

  it('lose their temporal delimiters', () => {
    expect(stripTemporalDelimiters(hex('1200 0a01aa 3201bb'))).toEqual(hex('0a01aa 3201bb'));
    const clean = hex('0a01aa 3201bb');
    expect(stripTemporalDelimiters(clean)).toBe(clean);
  });

  it('are refused where there are more than any encoder makes', () => {
    expect(splitObus(Buffer.alloc(2 * MAX_UNITS_PER_SAMPLE, hex('7a00')))).toHaveLength(MAX_UNITS_PER_SAMPLE);
    expect(() => splitObus(Buffer.alloc(2 * MAX_UNITS_PER_SAMPLE + 2, hex('7a00')))).toThrow(error('too-large'));
  });
});
