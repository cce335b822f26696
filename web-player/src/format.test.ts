import { describe, expect, it } from 'vitest';
import {
  codecName,
  describeTrack,
  formatBehind,
  formatBitrate,
  formatClock,
  formatCount,
  formatDuration,
  formatSeconds,
} from './format.js';

describe('formatBehind', () => {
  it.each([
    [0.84, '0.8 s'],
    [59, '59 s'],
    [754, '−12:34'],
  ])('%d → %s', (seconds, text) => {
    expect(formatBehind(seconds)).toBe(text);
  });
});

describe('describeTrack', () => {
  it.each([
    [
      { kind: 'video', codec: 'h264', codecString: '', width: 1280, height: 720, frameRate: 30 },
      '1280×720 · 30 fps · H.264',
    ],
    [
      { kind: 'video', codec: 'hevc', codecString: '', width: 640, height: 360, frameRate: 29.97003 },
      '640×360 · 29.97 fps · HEVC',
    ],
    [{ kind: 'video', codec: 'vp9', codecString: '', width: 0, height: 0 }, 'VP9'],
    [{ kind: 'audio', codec: 'aac', codecString: '', sampleRate: 44100, channels: 2 }, 'AAC · 44.1 kHz · stereo'],
    [{ kind: 'audio', codec: 'opus', codecString: '', sampleRate: 48000, channels: 1 }, 'Opus · 48 kHz · mono'],
    [{ kind: 'audio', codec: 'aac', codecString: '', sampleRate: 48000, channels: 6 }, 'AAC · 48 kHz · 6 channels'],
    [{ kind: 'audio', codec: 'mp3', codecString: '' }, 'MP3'],
  ] as const)('%j → %s', (track, text) => {
    expect(describeTrack(track)).toBe(text);
  });

  it('shows a codec that it does not know as it is', () => {
    expect(codecName('speex')).toBe('speex');
  });
});

describe('formatDuration', () => {
  it.each([
    [-3, '0 s'],
    [59.9, '59 s'],
    [60, '1 min'],
    [3599, '59 min'],
    [3600, '1 h 00 min'],
    [11_045, '3 h 04 min'],
  ])('%d → %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });
});

describe('formatSeconds', () => {
  it.each([
    [undefined, '–'],
    [Number.NaN, '–'],
    [Number.POSITIVE_INFINITY, '–'],
    [0, '0.0 s'],
    [0.84, '0.8 s'],
    [9.94, '9.9 s'],
    [9.96, '10 s'],
    [12.3, '12 s'],
  ])('%d → %s', (seconds, text) => {
    expect(formatSeconds(seconds)).toBe(text);
  });
});

describe('formatCount', () => {
  it('knows one from many', () => {
    expect([0, 1, 2].map((count) => formatCount(count, 'viewer'))).toEqual(['0 viewers', '1 viewer', '2 viewers']);
  });
});

describe('formatBitrate', () => {
  it.each([
    [undefined, '–'],
    [0, '0 kbit/s'],
    [999_400, '999 kbit/s'],
    [999_600, '1.00 Mbit/s'],
    [2_412_000, '2.41 Mbit/s'],
  ])('%d → %s', (bits, text) => {
    expect(formatBitrate(bits)).toBe(text);
  });
});

describe('formatClock', () => {
  it.each([
    [-1, '0:00'],
    [7.9, '0:07'],
    [754, '12:34'],
    [3723, '1:02:03'],
  ])('%d → %s', (seconds, text) => {
    expect(formatClock(seconds)).toBe(text);
  });
});
