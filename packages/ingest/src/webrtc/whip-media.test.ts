import type { Offer, OfferedCodec, OfferedMedia } from '@sluice/webrtc';
import { describe, expect, it } from 'vitest';
import { chooseMedia } from './whip-media.js';

const codec = (payloadType: number, name: string, parameters: Record<string, string> = {}): OfferedCodec => ({
  payloadType,
  name,
  clockRate: name === 'opus' ? 48_000 : 90_000,
  channels: name === 'opus' ? 2 : 1,
  parameters: new Map(Object.entries(parameters)),
  feedback: [],
  retransmission: payloadType + 1,
});
const media = (kind: string, codecs: readonly OfferedCodec[], changes: Partial<OfferedMedia> = {}): OfferedMedia => ({
  kind,
  mid: '0',
  direction: 'sendonly',
  codecs,
  extensions: new Map(),
  rtcpMux: true,
  ...changes,
});
const offer = (...offered: readonly OfferedMedia[]): Offer => ({
  ufrag: 'u',
  password: 'p',
  fingerprint: { algorithm: 'sha-256', value: 'AA' },
  setup: 'actpass',
  media: offered,
});

const H264 = codec(102, 'H264', { 'packetization-mode': '1' });
const OPUS = codec(111, 'opus');
/** The codec that is chosen of these. */
const chosen = (...codecs: readonly OfferedCodec[]) => {
  const { legs } = chooseMedia(offer(media('video', codecs)));
  return legs[0]?.codec;
};

describe('what WHIP takes of an offer', () => {
  it('is H.264, or else the codec that the offer prefers of those that are understood', () => {
    const names = ['H266', 'AV1', 'VP9', 'VP8', 'H265'].map((name, at) => codec(30 + 2 * at, name));
    expect(chosen(...names)).toBe('av1');
    expect(chosen(...names, H264)).toBe('h264');
    expect(chosen(...[...names].reverse())).toBe('hevc');
    expect(chosen(codec(96, 'VP8'), codec(98, 'AV1'))).toBe('vp8');
    expect(chosen(codec(96, 'vp9'))).toBe('vp9');
    expect(chosen(codec(96, 'red'))).toBeUndefined();
    expect(chosen({ ...H264, clockRate: 48_000 })).toBeUndefined();
  });

  it('is the codec that is asked for, and no other picture', () => {
    const offered = offer(media('video', [codec(96, 'VP8'), H264, codec(45, 'AV1')]), media('audio', [OPUS]));
    const codecs = (wanted: string) => chooseMedia(offered, wanted).legs.map((leg) => leg.codec);
    expect(codecs('AV1')).toEqual(['av1', 'opus']);
    expect(codecs('vp9')).toEqual(['opus']);
  });

  it('comes in decoding order, by one stream', () => {
    expect(chosen(codec(102, 'H264'))).toBe('h264');
    expect(chosen(codec(102, 'H264', { 'packetization-mode': '0' }))).toBe('h264');
    expect(chosen(codec(102, 'H264', { 'packetization-mode': '2' }))).toBeUndefined();
    expect(chosen(codec(102, 'H265', { 'tx-mode': 'SRST', 'sprop-max-don-diff': '0' }))).toBe('hevc');
    expect(chosen(codec(102, 'H265', { 'sprop-max-don-diff': '2' }))).toBeUndefined();
    expect(chosen(codec(102, 'H265', { 'tx-mode': 'MRST' }))).toBeUndefined();
  });

  it('is one picture and one sound, numbered as in FLV', () => {
    const all = [media('audio', [OPUS]), media('video', [H264]), media('video', [H264]), media('application', [])];
    const { legs, answered } = chooseMedia(offer(...all));
    expect(legs).toEqual([
      { kind: 'audio', track: 1, codec: 'opus', payloadType: 111, retransmissionType: 112, clockRate: 48_000 },
      { kind: 'video', track: 0, codec: 'h264', payloadType: 102, retransmissionType: 103, clockRate: 90_000 },
    ]);
    expect(answered.map((one) => one?.codec.name)).toEqual(['opus', 'H264', undefined, undefined]);
  });

  it('is nothing that the peer does not send, or sends on two ports', () => {
    for (const changes of [{ direction: 'recvonly' }, { direction: 'inactive' }, { rtcpMux: false }] as const) {
      expect(chooseMedia(offer(media('video', [H264], changes))).legs).toEqual([]);
    }
    expect(chooseMedia(offer(media('video', [H264], { direction: 'sendrecv' }))).legs).toHaveLength(1);
  });
});
