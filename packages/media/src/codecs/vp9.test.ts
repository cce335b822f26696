import { describe, expect, it } from 'vitest';
import { parseVp9FrameHeader, vp9KeyframeConfig, vp9TrackConfig } from './vp9.js';

const hex = (digits: string) => Buffer.from(digits, 'hex');
const error = (code: string) => expect.objectContaining({ name: 'MediaError', code });
const u = (value: number, count: number) => value.toString(2).padStart(count, '0');
const bytesOf = (bits: string) =>
  Buffer.from((bits.padEnd(Math.ceil(bits.length / 8) * 8, '0').match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));

describe('VP9 configurations', () => {
  it.each([
    ['01000000000b820202020000', 'vp09.00.11.08', 'Profile 0', '1.1'],
    ['01000000010b860202020000', 'vp09.01.11.08', 'Profile 1', '1.1'],
    ['01000000020ba20202020000', 'vp09.02.11.10', 'Profile 2', '1.1'],
    ['01000000001f820202020000', 'vp09.00.31.08', 'Profile 0', '3.1'],
  ])('%s', (record, codecString, profile, level) => {
    expect(vp9TrackConfig(0, hex(record))).toMatchObject({ codecString, profile, level, width: 0, height: 0 });
  });

  it('are refused where they make no sense', () => {
    expect(() => vp9TrackConfig(0, hex('01000000000b8202020200'))).toThrow(error('truncated'));
    expect(() => vp9TrackConfig(0, hex('00000000000b820202020000'))).toThrow(error('malformed'));
    expect(() => vp9TrackConfig(0, hex('01000000040b820202020000'))).toThrow(error('malformed'));
    expect(() => vp9TrackConfig(0, hex('01000000000b020202020000'))).toThrow(error('malformed'));
  });
});

describe('VP9 frame headers', () => {
  const size = `${u(1279, 16)}${u(719, 16)}`;
  const keyframe = (profile: string, color: string) => bytesOf(`10${profile}0010${u(0x498342, 24)}${color}${size}`);
  const expected = { keyframe: true, size: { width: 1280, height: 720 } };

  it('tell the size in every profile', () => {
    expect(parseVp9FrameHeader(keyframe('00', '0010'))).toMatchObject(expected);
    // Profile 1: subsampling and a reserved bit; profiles 2 and 3: the bit depth first.
    expect(parseVp9FrameHeader(keyframe('10', '0010000'))).toMatchObject(expected);
    expect(parseVp9FrameHeader(keyframe('10', '1110'))).toMatchObject(expected);
    expect(parseVp9FrameHeader(keyframe('01', '00010'))).toMatchObject(expected);
    expect(parseVp9FrameHeader(keyframe('110', '10010000'))).toMatchObject(expected);
  });

  it.each([
    ['00', '0010', 'vp09.00.31.08', '82'],
    ['00', '0011', 'vp09.00.31.08', '83'],
    ['10', '0010000', 'vp09.01.31.08', '86'],
    ['10', '0010100', 'vp09.01.31.08', '84'],
    ['10', '1110', 'vp09.01.31.08', '87'],
    ['01', '00010', 'vp09.02.31.10', 'a2'],
    ['110', '10010000', 'vp09.03.31.12', 'c6'],
  ])('make a configuration: profile %s, colours %s', (profile, color, codecString, chroma) => {
    const config = vp9KeyframeConfig(1, keyframe(profile, color));
    expect(config).toMatchObject({ track: 1, codecString, width: 1280, height: 720, level: '3.1' });
    expect(config.description.toString('hex', 6, 7)).toBe(chroma);
  });

  it('make no configuration where they have no size, or colours without a number', () => {
    expect(() => vp9KeyframeConfig(1, bytesOf('10000110'))).toThrow(error('malformed'));
    expect(() => vp9KeyframeConfig(1, keyframe('10', '0010010'))).toThrow(error('unsupported'));
  });

  it('tell inter frames and repeated ones', () => {
    expect(parseVp9FrameHeader(bytesOf('10000110'))).toEqual({ keyframe: false });
    expect(parseVp9FrameHeader(bytesOf('10001000'))).toEqual({ keyframe: false });
  });

  it('are refused without marker, sync code or end', () => {
    expect(() => parseVp9FrameHeader(hex('42'))).toThrow(error('malformed'));
    expect(() => parseVp9FrameHeader(hex('824983430000000000'))).toThrow(error('malformed'));
    expect(() => parseVp9FrameHeader(keyframe('00', '0010').subarray(0, 7))).toThrow(error('truncated'));
    expect(() => parseVp9FrameHeader(Buffer.alloc(0))).toThrow(error('truncated'));
  });
});
