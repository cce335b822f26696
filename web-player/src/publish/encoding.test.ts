import { describe, expect, it } from 'vitest';
import { pictureEncoding, preferH264, preferStereo, suitableBitrate } from './encoding.js';

const codec = (mimeType: string, sdpFmtpLine?: string) => ({
  mimeType,
  clockRate: 90_000,
  ...(sdpFmtpLine === undefined ? {} : { sdpFmtpLine }),
});

describe('suitableBitrate', () => {
  it.each([
    [1080, 30, 4_500_000],
    [720, 30, 2_500_000],
    [720, 60, 4_100_000],
    [720, 15, 1_500_000],
    [100, 30, 800_000],
  ])('%d lines at %d pictures per second', (height, frameRate, bitrate) => {
    expect(suitableBitrate(height, frameRate)).toBe(bitrate);
  });

  it('is for those who choose none', () => {
    const picture = { height: 720, frameRate: 30 };
    expect(pictureEncoding({ ...picture, bitrate: undefined }).maxBitrate).toBe(2_500_000);
    expect(pictureEncoding({ ...picture, bitrate: 400_000 })).toEqual({ maxBitrate: 400_000, maxFramerate: 30 });
  });
});

describe('preferH264', () => {
  const vp8 = codec('video/VP8');
  const rtx = codec('video/rtx');
  const single = codec('video/H264', 'profile-level-id=42001f;packetization-mode=0');
  const high = codec('video/H264', 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=64001f');

  it('puts it first and keeps the others in their order', () => {
    expect(preferH264([vp8, rtx, single, high])).toEqual([high, vp8, rtx, single]);
  });

  it('says so where there is none', () => {
    expect(preferH264([vp8, rtx, single])).toBeUndefined();
    expect(preferH264([])).toBeUndefined();
  });
});

describe('preferStereo', () => {
  const music = 'stereo=1;sprop-stereo=1;usedtx=0;maxaveragebitrate=160000';

  it.each(['\r\n', '\n'])('adds to what is said of Opus, with lines that end in %j', (end) => {
    const sdp = [
      'v=0',
      'a=rtpmap:111 opus/48000/2',
      'a=fmtp:111 minptime=10;useinbandfec=1',
      'a=rtpmap:0 PCMU/8000',
      '',
    ];
    expect(preferStereo(sdp.join(end)).split(end)).toEqual([
      'v=0',
      'a=rtpmap:111 opus/48000/2',
      `a=fmtp:111 minptime=10;useinbandfec=1;${music}`,
      'a=rtpmap:0 PCMU/8000',
      '',
    ]);
  });

  it('replaces what says otherwise, and nothing when asked again', () => {
    const sdp = 'a=rtpmap:96 OPUS/48000/2\r\na=fmtp:96 stereo=0; usedtx=1\r\n';
    const preferred = preferStereo(sdp);
    expect(preferred).toBe(`a=rtpmap:96 OPUS/48000/2\r\na=fmtp:96 ${music}\r\n`);
    expect(preferStereo(preferred)).toBe(preferred);
  });

  it('makes a line where there is none, and leaves everything else alone', () => {
    expect(preferStereo('a=rtpmap:96 opus/48000/2\r\nb\r\n')).toBe(
      `a=rtpmap:96 opus/48000/2\r\na=fmtp:96 ${music}\r\nb\r\n`,
    );
    expect(preferStereo('a=rtpmap:96 VP8/90000\r\na=fmtp:96 x=1\r\n')).toBe(
      'a=rtpmap:96 VP8/90000\r\na=fmtp:96 x=1\r\n',
    );
  });
});
