import { describe, expect, it } from 'vitest';
import {
  type BrowserAbilities,
  chooseProtocol,
  engineFor,
  mediaUrl,
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

describe('chooseProtocol', () => {
  it('takes what was asked for', () => {
    expect(chooseProtocol('ws-flv', [h264, aac], chrome)).toBe('ws-flv');
    expect(chooseProtocol('flv', [h264, aac], iPhone)).toBe('flv');
  });

  it('begins with HTTP-FLV where that plays, and on Apple’s phones with HLS', () => {
    expect(chooseProtocol(null, [h264, aac], chrome)).toBe('flv');
    expect(chooseProtocol('rtmp', [h264, aac], chrome)).toBe('flv');
    expect(chooseProtocol(null, [h264, aac], iPhone)).toBe('hls');
    expect(chooseProtocol(null, [h264, aac], oldIPhone)).toBe('hls');
    expect(chooseProtocol(null, [], oldIPhone)).toBe('hls');
  });

  it('takes the one that plays every codec', () => {
    expect(chooseProtocol(null, [h264, opus], iPhone)).toBe('hls');
    const safari: BrowserAbilities = { ...chrome, nativeHls: true, elementPlays: () => true };
    expect(chooseProtocol(null, [hevc, aac], safari)).toBe('hls');
    expect(engineFor('hls', [hevc, aac], safari)).toBe('native-hls');
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
    expect(playableProtocols([h264], oldIPhone)).toEqual(['hls', 'webrtc']);
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
    ['flv', 'https://host/live/show.flv'],
    ['ws-flv', 'wss://host/live/show.flv'],
    ['webrtc', 'https://host/whep/live/show'],
  ] as const)('%s', (protocol, url) => {
    expect(mediaUrl('https://host', 'live/show', protocol)).toBe(url);
  });

  it('takes along what the page itself has no use for', () => {
    const search = '?protocol=flv&token=a%26b&muted=1';
    expect(mediaUrl('http://host:8080', 'live/show', 'ws-flv', search)).toBe(
      'ws://host:8080/live/show.flv?token=a%26b',
    );
  });
});
