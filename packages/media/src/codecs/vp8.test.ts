import { describe, expect, it } from 'vitest';
import { parseVp8FrameHeader, vp8TrackConfig } from './vp8.js';

const hex = (digits: string) => Buffer.from(digits, 'hex');
const error = (code: string) => expect.objectContaining({ name: 'MediaError', code });
/** Of libvpx, 640x360; with bits that ask for scaling. */
const KEYFRAME = hex('d01a009d012a8042684100');

describe('VP8 frames', () => {
  it('tell their size, where they are keyframes', () => {
    expect(parseVp8FrameHeader(KEYFRAME)).toEqual({ keyframe: true, size: { width: 640, height: 360 } });
    expect(parseVp8FrameHeader(hex('d1'))).toEqual({ keyframe: false });
    const config = vp8TrackConfig(1, KEYFRAME);
    expect(config).toMatchObject({ track: 1, codec: 'vp8', codecString: 'vp8', width: 640, height: 360 });
    expect(config.description).toHaveLength(0);
  });

  it('are refused where they make no sense', () => {
    expect(() => parseVp8FrameHeader(Buffer.alloc(0))).toThrow(error('truncated'));
    expect(() => parseVp8FrameHeader(KEYFRAME.subarray(0, 9))).toThrow(error('truncated'));
    expect(() => parseVp8FrameHeader(hex('d01a009d012b80026801'))).toThrow(error('malformed'));
    expect(() => parseVp8FrameHeader(hex('d01a009d012a00406801'))).toThrow(error('malformed'));
    expect(() => vp8TrackConfig(1, hex('d1'))).toThrow(error('malformed'));
  });
});
