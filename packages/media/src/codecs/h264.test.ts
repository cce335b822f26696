import { describe, expect, it } from 'vitest';
import { buildAvcC, h264TrackConfig, isH264Keyframe, parseAvcC, parseH264Sps } from './h264.js';

const hex = (digits: string) => Buffer.from(digits, 'hex');
const error = (code: string) => expect.objectContaining({ name: 'MediaError', code });
const SPS = hex('6764001facd9405005bb016a02020280000003008000001e078c18cb');
const PPS = hex('68efbcb0');

const u = (value: number, count: number) => value.toString(2).padStart(count, '0');
const ue = (value: number) => {
  const binary = (value + 1).toString(2);
  return '0'.repeat(binary.length - 1) + binary;
};
const bytesOf = (bits: string) =>
  Buffer.from((bits.padEnd(Math.ceil(bits.length / 8) * 8, '0').match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));

/** avcC records as x264 and ffmpeg write them. */
const RECORDS = {
  'HRD parameters, scaling lists, 59.94 frames per second':
    '0164001fffe100246764001facd940a02ff9701100000303e90001d4c0604000f424001e84a4d38078c18cb001000568ef8fcc03fdf8f800',
  'constrained baseline': '0142c00cffe100176742c00cda05067e7c0440000003004000000c83c50aa801000468ce0fc8',
  monochrome: '0164000cffe1001a6764000cf2d02833f1b80b64000003000400000300c83c50aa8001000468ce0fc8fcf8f800',
  'interlaced, cropped from 512 lines':
    '0164001effe1001a6764001eacd940b420fc460220000003002000000643e28532c001000468fe8fcbfdf8f800',
  '4:2:2 of 10 bits': '017a000dffe1001a677a000db6cb40a8cf111780880000030008000003019078a15501000468ce0fc8fefafa00',
} as const;

describe('H.264 configurations', () => {
  it.each([
    [
      'HRD parameters, scaling lists, 59.94 frames per second',
      { width: 640, height: 360, level: '3.1' },
      60000 / 1001,
      2,
    ],
    ['constrained baseline', { width: 320, height: 180, level: '1.2', codecString: 'avc1.42c00c' }, 25, 0],
    ['monochrome', { width: 320, height: 180, profile: 'High' }, 25, 0],
    ['interlaced, cropped from 512 lines', { width: 720, height: 484, level: '3.0' }, 25, 2],
    ['4:2:2 of 10 bits', { width: 322, height: 182, profile: 'High 4:2:2' }, 25, 0],
  ] as const)('%s', (name, expected, frameRate, maxNumReorderFrames) => {
    const record = hex(RECORDS[name]);
    const config = h264TrackConfig(0, record);
    expect(config).toMatchObject(expected);
    expect(config.frameRate).toBeCloseTo(frameRate, 6);
    const { sps, pps } = parseAvcC(record);
    expect(parseH264Sps(sps[0] ?? SPS).maxNumReorderFrames).toBe(maxNumReorderFrames);
    expect(buildAvcC(sps, pps)).toEqual(record);
  });

  it('are read through scaling lists, picture order cycles and separate planes', () => {
    // Lists of 16 and 64 values that differ, one that ends at once, and one that is left out.
    const flat = (size: number) => `1${`${ue(1)}${ue(2)}`.repeat(size / 2)}`;
    const empty = `1${ue(16)}`;
    const lists = [flat(16), '0', flat(16), empty, '0', flat(16), flat(64), '0', flat(64), '0', '0', flat(64)];
    const chroma = [ue(3), '1', ue(2), ue(1), '0', '1', ...lists];
    const order = [ue(1), '0', ue(3), ue(4), ue(2), ue(7), ue(8)];
    const size = [ue(39), ue(22), '1', '1', '1', ue(3), ue(5), ue(1), ue(7)];
    const sps = bytesOf([u(0x67f4001f, 32), ue(0), ...chroma, ue(0), ...order, ue(4), '0', ...size, '0', '1'].join(''));
    expect(parseH264Sps(sps)).toEqual({
      profileIdc: 244,
      constraintFlags: 0,
      levelIdc: 31,
      sampleFormat: { chromaFormat: 3, bitDepthLuma: 10, bitDepthChroma: 9, separateColourPlanes: true },
      sliceSyntax: {
        spsId: 0,
        separateColourPlanes: true,
        log2MaxFrameNum: 4,
        pictureOrder: { type: 1, deltaAlwaysZero: false },
        framesOnly: true,
      },
      // Planes of their own are cropped by single samples.
      width: 640 - 8,
      height: 368 - 8,
    });
  });

  it('tell level 1b in both ways', () => {
    const level = (profile: number, flags: number, levelIdc: number) => {
      const sps = Buffer.from(profile === 100 ? SPS : hex('6742c00cda05067e7c0440000003004000000c83c50aa8'));
      sps.set([profile, flags, levelIdc], 1);
      return h264TrackConfig(0, buildAvcC([sps], [PPS])).level;
    };
    expect(level(66, 0xd0, 11)).toBe('1b');
    expect(level(66, 0xc0, 11)).toBe('1.1');
    expect(level(100, 0, 9)).toBe('1b');
    expect(level(100, 0x10, 11)).toBe('1.1');
  });

  it('keep what can be read of a VUI that is cut off', () => {
    const { frameRate, maxNumReorderFrames, ...rest } = parseH264Sps(SPS);
    expect([frameRate, maxNumReorderFrames]).toEqual([30, 2]);
    expect(parseH264Sps(SPS.subarray(0, 20))).toEqual(rest);
    expect(parseH264Sps(SPS.subarray(0, 25))).toEqual({ ...rest, frameRate });
    expect(() => parseH264Sps(SPS.subarray(0, 8))).toThrow(error('truncated'));
  });

  it('are refused where a record is forged', () => {
    const record = buildAvcC([SPS], [PPS]);
    const changed = (at: number, value: number) => {
      const copy = Buffer.from(record);
      copy[at] = value;
      return () => h264TrackConfig(0, copy);
    };
    expect(changed(0, 2)).toThrow(error('malformed'));
    expect(changed(4, 0xfe)).toThrow(error('malformed'));
    expect(changed(5, 0xe0)).toThrow(error('malformed'));
    expect(changed(5, 0xe2)).toThrow(error('truncated'));
    expect(changed(6, 0xff)).toThrow(error('truncated'));
    expect(changed(8, 0x68)).toThrow(error('malformed'));
    for (let end = 0; end < record.length - 4; end++) {
      expect(() => parseAvcC(record.subarray(0, end)), `cut at ${end}`).toThrow(error('truncated'));
    }
  });

  it('are not built where the record could not hold them', () => {
    const many = (count: number, unit: Buffer) => Array.from({ length: count }, () => unit);
    const roundTrip = parseAvcC(buildAvcC(many(31, SPS), many(255, PPS)));
    expect([roundTrip.sps.length, roundTrip.pps.length]).toEqual([31, 255]);
    expect(() => buildAvcC(many(32, SPS), [PPS])).toThrow(error('too-large'));
    expect(() => buildAvcC([SPS], many(256, PPS))).toThrow(error('too-large'));
    expect(() => buildAvcC([SPS], [Buffer.alloc(65_536, 0x68)])).toThrow(error('too-large'));
    expect(() => buildAvcC([SPS], [Buffer.alloc(0)])).toThrow(error('malformed'));
    expect(() => buildAvcC([], [PPS])).toThrow(error('malformed'));
    expect(() => buildAvcC([PPS], [PPS])).toThrow(error('malformed'));
  });

  it('a keyframe is an IDR, not a recovery point', () => {
    const recoveryPoint = hex('0606010480');
    expect(isH264Keyframe([recoveryPoint, hex('41')])).toBe(false);
    expect(isH264Keyframe([hex('09f0'), recoveryPoint, hex('65')])).toBe(true);
    expect(isH264Keyframe([])).toBe(false);
  });
});
