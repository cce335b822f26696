import type { TrackConfig, VideoCodec, VideoTrackConfig } from '@sluice/media';
import type { Offer, OfferedCodec } from '@sluice/webrtc';
import { describe, expect, it } from 'vitest';
import { chooseMedia, wantedMedia } from './whep-media.js';

const codec = (payloadType: number, name: string, parameters: Record<string, string> = {}): OfferedCodec => ({
  payloadType,
  name,
  clockRate: 90_000,
  channels: 1,
  parameters: new Map(Object.entries(parameters)),
  feedback: [],
  retransmission: undefined,
});
const track = (name: VideoCodec, codecString: string): VideoTrackConfig => ({
  kind: 'video',
  track: 0,
  codec: name,
  codecString,
  description: Buffer.alloc(0),
  width: 640,
  height: 360,
});
const AAC = { kind: 'audio', track: 1, codec: 'aac', codecString: 'mp4a.40.2' } as unknown as TrackConfig;

/** As browsers offer them, and more. */
const OFFERED = [
  codec(96, 'VP8'),
  codec(98, 'VP9', { 'profile-id': '0' }),
  codec(100, 'VP9', { 'profile-id': '2' }),
  codec(102, 'H264', { 'packetization-mode': '0', 'profile-level-id': '640c1f' }),
  codec(104, 'H264', { 'packetization-mode': '1', 'profile-level-id': '42e01f' }),
  codec(106, 'H264', { 'packetization-mode': '1', 'profile-level-id': '640c1f' }),
  codec(45, 'AV1', { profile: '0', 'level-idx': '5' }),
  codec(49, 'H265', { 'profile-id': '1', 'level-id': '93' }),
  codec(51, 'H265', { 'profile-id': '2' }),
];

function chosen(tracks: readonly TrackConfig[], codecs: readonly OfferedCodec[] = OFFERED): (number | undefined)[] {
  const offered = { mid: '0', direction: 'recvonly', extensions: new Map(), rtcpMux: true } as const;
  const offer: Offer = {
    ufrag: 'u',
    password: 'p',
    fingerprint: { algorithm: 'sha-256', value: 'AA' },
    setup: 'actpass',
    media: [
      { ...offered, kind: 'video', codecs },
      { ...offered, kind: 'audio', codecs: [codec(111, 'opus')] },
    ],
  };
  const { answered, legs } = chooseMedia(offer, wantedMedia(tracks), () => 7);
  expect(legs).toHaveLength(answered.filter((one) => one !== undefined).length);
  return answered.map((one) => one?.codec.payloadType);
}

describe('what WHEP gives of a stream', () => {
  it.each([
    ['h264', 'avc1.42e01f', 104],
    ['h264', 'avc1.640028', 106],
    ['h264', 'avc1.4d0028', 104],
    ['hevc', 'hvc1.1.6.L93.B0', 49],
    ['hevc', 'hvc1.2.4.L93.B0', 51],
    ['hevc', 'hvc1.4.10.L93.B0', undefined],
    ['vp8', 'vp8', 96],
    ['vp9', 'vp09.00.31.08', 98],
    ['vp9', 'vp09.02.31.10', 100],
    ['vp9', 'vp09.01.31.08', undefined],
    ['av1', 'av01.0.04M.08', 45],
    ['av1', 'av01.1.04H.10', undefined],
  ] as const)('%s, %s: %s', (name, codecString, payloadType) => {
    expect(chosen([track(name, codecString), AAC])).toEqual([payloadType, 111]);
  });

  it('goes by the profiles that are meant where none stands', () => {
    const bare = [codec(1, 'H265'), codec(2, 'VP9'), codec(3, 'AV1'), codec(4, 'H264')];
    expect(chosen([track('hevc', 'hvc1.1.6.L93.B0')], bare)).toEqual([1, 111]);
    expect(chosen([track('vp9', 'vp09.00.31.08')], bare)).toEqual([2, 111]);
    expect(chosen([track('av1', 'av01.0.04M.08')], bare)).toEqual([3, 111]);
    // Which is packetization mode 0.
    expect(chosen([track('h264', 'avc1.42e01f')], bare)).toEqual([undefined, 111]);
  });
});
