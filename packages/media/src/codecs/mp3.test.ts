import { describe, expect, it } from 'vitest';
import { mp3TrackConfig, parseMp3FrameHeader } from './mp3.js';

const hex = (digits: string) => Buffer.from(digits, 'hex');
const error = (code: string) => expect.objectContaining({ name: 'MediaError', code });

describe('MPEG audio frames', () => {
  // Headers as LAME and ffmpeg's MP2 encoder write them; lengths as ffprobe lists the packets.
  it.each([
    ['MPEG-1 layer III', 'fffb10c4', 3, 44_100, 32_000, 104, 1152],
    ['MPEG-2 layer III', 'fff340c4', 3, 22_050, 32_000, 104, 576],
    ['MPEG-2.5 layer III', 'ffe340c4', 3, 11_025, 32_000, 208, 576],
    ['MPEG-2.5 layer III', 'ffe348c4', 3, 8_000, 32_000, 288, 576],
    ['MPEG-1 layer II', 'fffda4c4', 2, 48_000, 192_000, 576, 1152],
    ['MPEG-1 layer I', 'ffffa4c4', 1, 48_000, 320_000, 320, 384],
  ] as const)('%s', (_, digits, layer, sampleRate, bitrate, frameLength, samplesPerFrame) => {
    const expected = { layer, sampleRate, bitrate, frameLength, samplesPerFrame, channels: 1 };
    expect(parseMp3FrameHeader(hex(digits))).toEqual(expected);
    expect(parseMp3FrameHeader(hex(`aabb${digits}`), 2)).toEqual(expected);
  });

  it('have a padding byte, and one or two channels', () => {
    expect(parseMp3FrameHeader(hex('fffb1244'))).toMatchObject({ frameLength: 105, channels: 2 });
    expect(parseMp3FrameHeader(hex('ffffa644'))).toMatchObject({ frameLength: 324, channels: 2 });
  });

  it('are incomplete until the 4th byte', () => {
    for (let end = 0; end < 4; end++) expect(parseMp3FrameHeader(hex('fffb10c4').subarray(0, end))).toBeUndefined();
    expect(() => mp3TrackConfig(1, hex('fffb10'))).toThrow(error('truncated'));
  });

  it('are refused where a value is reserved', () => {
    for (const reserved of ['ffdb10c4', 'ffeb10c4', 'fff910c4', 'fffbf0c4', 'fffb1cc4', '49443303']) {
      expect(() => parseMp3FrameHeader(hex(reserved)), reserved).toThrow(error('malformed'));
    }
    expect(() => parseMp3FrameHeader(hex('fffb00c4'))).toThrow(error('unsupported'));
  });

  it('make a track in layer III only', () => {
    expect(mp3TrackConfig(3, hex('fffb1044'))).toMatchObject({
      track: 3,
      codec: 'mp3',
      sampleRate: 44_100,
      channels: 2,
    });
    expect(() => mp3TrackConfig(1, hex('fffda4c4'))).toThrow(error('unsupported'));
  });
});
