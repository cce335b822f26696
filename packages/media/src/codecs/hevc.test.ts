import { describe, expect, it } from 'vitest';
import { buildHvcC, hevcTrackConfig, isHevcKeyframe, parseHevcSps, parseHvcC } from './hevc.js';

const hex = (digits: string) => Buffer.from(digits, 'hex');
const error = (code: string) => expect.objectContaining({ name: 'MediaError', code });
const VPS = hex('40010c01ffff01600000030090000003000003003c959409');
const SPS = hex('42010101600000030090000003000003003ca00a080c1f3e595952930bc05a020000030002000003003210');
const PPS = hex('4401c073c189');

/** SPS as x265 writes them, and what ffprobe and the command line say of them. */
const FIXTURES = [
  ['default', SPS, [320, 180, 8, 1], 25, 2],
  [
    'scaling lists, 29.97 frames per second',
    hex('42010101600000030090000003000003003ca00a080c1f3e5999929385e02d0100000303e90000753008'),
    [320, 180, 8, 1],
    30000 / 1001,
    2,
  ],
  [
    'HRD parameters',
    hex('42010101600000030090000003000003003ca00a080c1f3e595952930bc05a0200000300020000030064c02930dc001e848003d091'),
    [320, 180, 8, 1],
    50,
    2,
  ],
  [
    '4:4:4 of 12 bits',
    hex('420101040800000300980800000300003c90015101838f8b294b2b2a526178234040000003004000000602'),
    [322, 182, 12, 3],
    24,
    2,
  ],
  [
    '4:2:2 of 10 bits, fields as pictures at 25 a second',
    hex('4201010408000003004d0800000300003cb00a880c1c445b6595952930bc05a1a000000300200000030321'),
    [322, 182, 10, 2],
    12.5,
    2,
  ],
  [
    'overscan, video format, chroma location',
    hex('42010101600000030090000003000003003ca00d080f16595952930bc069a9040000030004000003006420'),
    [416, 240, 8, 1],
    25,
    2,
  ],
  [
    'high tier, cropped from 1088 lines',
    hex('420101216000000300900000030000030099a003c0801107cb965654a4c2f0168080000003008000001e04'),
    [1920, 1080, 8, 1],
    60,
    2,
  ],
] as const;

const u = (value: number, count: number) => value.toString(2).padStart(count, '0');
const ue = (value: number) => {
  const binary = (value + 1).toString(2);
  return '0'.repeat(binary.length - 1) + binary;
};
const bytesOf = (bits: string) =>
  Buffer.from((bits.padEnd(Math.ceil(bits.length / 8) * 8, '0').match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));

/** An SPS with all the parts that encoders seldom use, in the order of H.265 §7.3.2.2.1. */
function rareSps(changes: { subLayers?: number; shortTermSets?: string; longTerm?: string } = {}): Buffer {
  const subLayers = changes.subLayers ?? 3;
  const profile = [u(0, 2), u(0, 1), u(1, 5), u(0x60000001, 32), '1'.repeat(48), u(93, 8)];
  // The first sub-layer tells its profile and level, the second one its level only.
  const flags = ['11', '01', '00', '00', '00', '00', '00'].slice(0, subLayers - 1);
  const subLayerBits = subLayers > 1 ? [...flags, '00'.repeat(9 - subLayers), '1'.repeat(96), '1'.repeat(8)] : [];
  const ordering = ['1', ...Array.from({ length: subLayers }, (_, layer) => ue(4) + ue(layer) + ue(0))];
  const lists = ['11', ...Array.from({ length: 20 }, (_, list) => scalingList(list))];
  // Three pictures, then three predicted from those, then two predicted from these.
  const explicit = [ue(2), ue(1), `${ue(0)}1`, `${ue(1)}0`, `${ue(0)}1`];
  const predicted = (...uses: string[]) => ['1', '0', ue(3), ...uses];
  const sets = [...explicit, ...predicted('1', '01', '00', '1'), ...predicted('1', '00', '1', '00')];
  const shortTermSets = changes.shortTermSets ?? [ue(3), ...sets].join('');
  const vui = [
    '1',
    '1',
    u(255, 8),
    u(4, 16),
    u(3, 16),
    '0',
    '1',
    u(5, 3),
    '0',
    '1',
    u(0x090909, 24),
    '1',
    ue(1),
    ue(1),
  ];
  const window = ['000', '1', ue(1), ue(2), ue(3), ue(4)];
  const timing = ['1', u(20_000_000, 32), u(600_000_000, 32)];
  return bytesOf(
    [
      ...[u(0x4201, 16), u(0, 4), u(subLayers - 1, 3), '1', ...profile, ...subLayerBits, ue(0)],
      ...[ue(1), ue(1280), ue(720), '0', ue(0), ue(0), ue(4), ...ordering],
      ...[ue(0), ue(1), ue(0), ue(1), ue(2), ue(2), ...lists, '11', '1', u(0x77, 8), ue(0), ue(0), '1'],
      ...[shortTermSets, changes.longTerm ?? `1${ue(2)}${u(0xab, 8)}1${u(0xcd, 8)}0`, '11'],
      ...[...vui, ...window, ...timing, '11'],
    ].join(''),
  );
}

/** A predicted list, then one that is written out, and so on. */
function scalingList(list: number): string {
  if (list % 2 === 0) return `0${ue(0)}`;
  const size = list < 6 ? 0 : list < 12 ? 1 : list < 18 ? 2 : 3;
  const coefficients = Math.min(64, 1 << (4 + (size << 1)));
  return `1${size > 1 ? ue(3) : ''}${ue(2).repeat(coefficients)}`;
}

describe('HEVC parameter sets', () => {
  it.each(FIXTURES)('%s', (_, sps, [width, height, bitDepthLuma, chromaFormat], frameRate, maxNumReorderFrames) => {
    const values = parseHevcSps(sps);
    expect(values).toMatchObject({ width, height, bitDepthLuma, chromaFormat, maxNumReorderFrames });
    expect(values.frameRate).toBeCloseTo(frameRate, 6);
  });

  it('are read through sub-layers, scaling lists, PCM, reference sets and a full VUI', () => {
    for (const subLayers of [1, 3, 7]) {
      expect(parseHevcSps(rareSps({ subLayers }))).toMatchObject({
        maxSubLayers: subLayers,
        width: 1280,
        height: 720,
        maxNumReorderFrames: subLayers - 1,
        frameRate: 30,
      });
    }
  });

  it('tell less, but are not refused, where their tail is forged or cut off', () => {
    const tails = [{ shortTermSets: ue(65) }, { shortTermSets: ue(1) + ue(17) + ue(0) }, { longTerm: `1${ue(33)}` }];
    for (const tail of tails) {
      const values = parseHevcSps(rareSps(tail));
      expect(values).toMatchObject({ width: 1280, maxNumReorderFrames: 2 });
      expect(values).not.toHaveProperty('frameRate');
    }
    expect(parseHevcSps(SPS.subarray(0, 30))).toMatchObject({ width: 320, height: 180, bitDepthLuma: 8 });
  });

  it('are refused where a value has no meaning', () => {
    expect(() => parseHevcSps(VPS)).toThrow(error('malformed'));
    expect(() => parseHevcSps(rareSps({ subLayers: 8 }))).toThrow(error('malformed'));
    expect(() => parseHevcSps(SPS.subarray(0, 18))).toThrow(error('truncated'));
  });
});

describe('HEVC configurations', () => {
  it('have the names of ISO 14496-15 Annex E', () => {
    const nameOf = (sps: Buffer) => hevcTrackConfig(0, buildHvcC([VPS], [sps], [PPS])).codecString;
    expect(nameOf(SPS)).toBe('hvc1.1.6.L60.90');
    expect(nameOf(FIXTURES[6][1])).toBe('hvc1.1.6.H153.90');
    expect(nameOf(FIXTURES[3][1])).toBe('hvc1.4.10.L60.98.8');
    const main = hex('420101016000000300b0000003000003005da00280802d165b92');
    expect(nameOf(main)).toBe('hvc1.1.6.L93.B0');
  });

  it('come back from their record, SEI left out', () => {
    const record = buildHvcC([VPS], [SPS], [PPS]);
    expect(parseHvcC(record)).toEqual({ lengthSize: 4, vps: [VPS], sps: [SPS], pps: [PPS] });
    const withSei = Buffer.concat([record, hex('a7 0001 0003 4e0105'.replaceAll(' ', ''))]);
    withSei[22] = 4;
    expect(parseHvcC(withSei)).toEqual(parseHvcC(record));
    const draft = Buffer.from(record);
    draft[0] = 0;
    expect(parseHvcC(draft)).toEqual(parseHvcC(record));
    expect(parseHvcC(buildHvcC([], [SPS], [])).vps).toEqual([]);
  });

  it('are refused where a record is forged', () => {
    const record = buildHvcC([VPS], [SPS], [PPS]);
    const changed = (at: number, value: number) => {
      const copy = Buffer.from(record);
      copy[at] = value;
      return () => hevcTrackConfig(0, copy);
    };
    expect(changed(0, 2)).toThrow(error('malformed'));
    expect(changed(21, 0xfe)).toThrow(error('malformed'));
    expect(changed(22, 1)).toThrow(error('malformed'));
    expect(changed(22, 4)).toThrow(error('truncated'));
    expect(changed(24, 0xff)).toThrow(error('too-large'));
    for (let end = 0; end < record.length; end++) {
      expect(() => parseHvcC(record.subarray(0, end)), `cut at ${end}`).toThrow(error('truncated'));
    }
    // 65,535 units of no bytes, 256 times over
    const bomb = Buffer.concat([record.subarray(0, 22), hex('ff'), hex('a1ffff'), Buffer.alloc(1 << 20)]);
    expect(() => parseHvcC(bomb)).toThrow(error('too-large'));
  });

  it('are not built where the record could not hold them', () => {
    const many = Array.from({ length: 255 }, () => PPS);
    expect(() => buildHvcC([VPS], [SPS], many)).toThrow(error('too-large'));
    expect(() => buildHvcC([VPS], [SPS], [Buffer.alloc(65_536, 0x44)])).toThrow(error('too-large'));
    expect(() => buildHvcC([VPS], [], [PPS])).toThrow(error('malformed'));
  });

  it('a keyframe is any random access point', () => {
    const unit = (type: number) => Buffer.from([type << 1, 1]);
    const keyframes = Array.from({ length: 64 }, (_, type) => type).filter((type) => isHevcKeyframe([unit(type)]));
    expect(keyframes).toEqual([16, 17, 18, 19, 20, 21, 22, 23]);
    expect(isHevcKeyframe([unit(35), unit(33), unit(21)])).toBe(true);
  });
});
