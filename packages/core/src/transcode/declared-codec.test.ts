import { describe, expect, it } from 'vitest';
import { declaredCodec } from './declared-codec.js';

describe('declaredCodec', () => {
  it.each([
    ['h264', 854, 480, 30, 1000, 'avc1.64001f'],
    ['h264', 640, 360, 30, 600, 'avc1.64001e'],
    ['h264', 1280, 720, 30, 2500, 'avc1.64001f'],
    ['h264', 1280, 720, 60, 2500, 'avc1.640020'],
    ['h264', 1920, 1080, 30, 5000, 'avc1.640028'],
    ['h264', 1920, 1080, 30, 40_000, 'avc1.640029'],
    ['h264', 1920, 1080, 60, 5000, 'avc1.64002a'],
    ['h264', 3840, 2160, 60, 20_000, 'avc1.640034'],
    ['h264', 7680, 4320, 240, 200_000, 'avc1.640034'],
    ['hevc', 640, 360, 30, 600, 'hvc1.1.6.L90.B0'],
    ['hevc', 1920, 1080, 60, 5000, 'hvc1.1.6.L123.B0'],
    ['hevc', 7680, 4320, 60, 5000, 'hvc1.1.6.L156.B0'],
    ['none', 640, 360, 30, 600, undefined],
  ] as const)('says what %s of %ix%i, %i a second, %i kbit/s needs', (codec, width, height, rate, bits, needed) => {
    expect(declaredCodec({ codec, videoBitrate: bits }, { width, height }, rate)).toBe(needed);
  });
});
