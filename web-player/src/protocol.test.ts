import { describe, expect, it } from 'vitest';
import {
  automaticProtocols,
  type BrowserAbilities,
  engineFor,
  mediaUrl,
  type PlayerProtocol,
  playableProtocols,
  streamPathOf,
  unplayableTracks,
} from './protocol.js';
import type { TrackStatus } from './status-client.js';

const h264: TrackStatus = { kind: 'video', codec: 'h264', codecString: 'avc1.64001f' };
const hevc: TrackStatus = { kind: 'video', codec: 'hevc', codecString: 'hvc1.1.6.L93.B0' };
const vp9: TrackStatus = { kind: 'video', codec: 'vp9', codecString: 'vp09.00.10.08' };
const aac: TrackStatus = { kind: 'audio', codec: 'aac', codecString: 'mp4a.40.2' };
const opus: TrackStatus = { kind: 'audio', codec: 'opus', codecString: 'opus' };
const mp3: TrackStatus = { kind: 'audio', codec: 'mp3', codecString: 'mp4a.40.34' };

const noHevc = (mimeType: string) => !mimeType.includes('hvc1');
const chrome: BrowserAbilities = {
  mediaSource: 'full',
  nativeHls: false,
  sourcePlays: noHevc,
  elementPlays: noHevc,
  peerPlays: (codec) => codec !== 'H265',
};
const iPhone: BrowserAbilities = {
  mediaSource: 'managed',
  nativeHls: true,
  sourcePlays: () => true,
  elementPlays: () => true,
  peerPlays: () => true,
};
const oldIPhone: BrowserAbilities = { ...iPhone, mediaSource: 'none', sourcePlays: () => false };

describe('streamPathOf', () => {
  it.each([
    ['/player/live/show', 'live/show'],
    ['/player/live/show/', 'live/show'],
    ['/player/a/b/c-1_2.x', 'a/b/c-1_2.x'],
    ['/publish/live/show', 'live/show'],
    ['/player/live', undefined],
    ['/player/live/', undefined],
    ['/player/live/.hidden', undefined],
    ['/player/live/../show', undefined],
    ['/player/live/%3Cimg%3E', undefined],
    ['/player/live//show', undefined],
    ['/other/live/show', undefined],
  ])('%s → %s', (pathname, path) => {
    expect(streamPathOf(pathname)).toBe(path);
  });
});

describe('automaticProtocols', () => {
  const hasFailed = (...failed: readonly PlayerProtocol[]) => ({
    hasFailed: (protocol: PlayerProtocol) => failed.includes(protocol),
  });

  it('begins with the one that is the least behind', () => {
    expect(automaticProtocols([h264, aac], chrome, hasFailed())).toEqual(['webrtc', 'll-hls', 'flv', 'hls']);
    expect(automaticProtocols([h264, aac], oldIPhone, hasFailed())).toEqual(['webrtc', 'll-hls', 'hls']);
  });

  it('leaves out what has failed, what the browser can not do, and WebRTC where it would stutter', () => {
    expect(automaticProtocols([h264, aac], chrome, hasFailed('webrtc', 'flv'))).toEqual(['ll-hls', 'hls']);
    expect(automaticProtocols([hevc, aac], chrome, hasFailed())).toEqual([]);
    const safari: BrowserAbilities = { ...chrome, nativeHls: true, elementPlays: () => true };
    expect(automaticProtocols([hevc, aac], safari, hasFailed())).toEqual(['ll-hls', 'hls']);
    expect(engineFor('hls', [hevc, aac], safari)).toBe('native-hls');
    expect(automaticProtocols([h264, aac], chrome, { ...hasFailed(), bFrames: true })[0]).toBe('ll-hls');
  });
});

describe('engineFor', () => {
  it('prefers media sources where they are whole, and the browser’s own HLS where they are managed', () => {
    expect(engineFor('hls', [h264], { ...chrome, nativeHls: true })).toBe('hls');
    expect(engineFor('hls', [h264], iPhone)).toBe('native-hls');
    expect(engineFor('hls', [h264], { ...iPhone, nativeHls: false })).toBe('hls');
  });

  it('has none for FLV without media sources', () => {
    expect(engineFor('flv', [h264], oldIPhone)).toBeUndefined();
    expect(playableProtocols([h264], oldIPhone)).toEqual(['webrtc', 'll-hls', 'hls']);
  });

  it('asks for MP3 as such', () => {
    const asked: string[] = [];
    engineFor('flv', [mp3], { ...chrome, sourcePlays: (mimeType) => asked.push(mimeType) > 0 });
    expect(asked).toEqual(['audio/mpeg']);
  });
});

describe('unplayableTracks', () => {
  it('names the codecs that the browser or the format lacks', () => {
    expect(unplayableTracks('flv', [hevc, aac], chrome)).toEqual([hevc]);
    expect(unplayableTracks('hls', [h264, opus], chrome)).toEqual([]);
    expect(unplayableTracks('flv', [vp9, aac], chrome)).toEqual([vp9]);
    expect(unplayableTracks('flv', [h264, aac], chrome)).toEqual([]);
    expect(unplayableTracks('webrtc', [hevc, aac], chrome)).toEqual([hevc]);
    expect(unplayableTracks('webrtc', [vp9, aac], chrome)).toEqual([]);
    expect(unplayableTracks('webrtc', [h264, opus], oldIPhone)).toEqual([]);
  });
});

describe('mediaUrl', () => {
  it.each([
    ['hls', 'https://host/live/show.m3u8'],
    ['ll-hls', 'https://host/live/show.m3u8'],
    ['flv', 'https://host/live/show.flv'],
    ['ws-flv', 'wss://host/live/show.flv'],
    ['webrtc', 'https://host/whep/live/show'],
  ] as const)('%s', (protocol, url) => {
    expect(mediaUrl('https://host', 'live/show', protocol)).toBe(url);
  });

  it('takes a query along', () => {
    expect(mediaUrl('http://host:8080', 'live/show', 'ws-flv', 'token=a%26b')).toBe(
      'ws://host:8080/live/show.flv?token=a%26b',
    );
  });
});
