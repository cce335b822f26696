import { joinLengthPrefixed, type MediaEvent } from '@sluice/media';
import {
  packetiseAv1,
  packetiseHevc,
  packetiseVp8,
  packetiseVp9,
  type RtcpPacket,
  type RtpPacket,
  type Ssrc,
  writeHeaderExtension,
} from '@sluice/rtp';
import { describe, expect, it } from 'vitest';
import { RtpIngest } from './rtp-ingest.js';
import type { RtpLegTerms } from './rtp-leg.js';

const VIDEO = {
  kind: 'video',
  codec: 'h264',
  track: 0,
  payloadType: 102,
  retransmissionType: 103,
  clockRate: 90_000,
} as const;
const AUDIO = {
  kind: 'audio',
  codec: 'opus',
  track: 1,
  payloadType: 111,
  retransmissionType: undefined,
  clockRate: 48_000,
} as const;
/** Of x264, baseline, 320x180. */
const SPS = Buffer.from('6742c00dd9014197e7c044000003000400000300c83c50a480', 'hex');
const PPS = Buffer.from('68cb83cb20', 'hex');

/** STAP-A of parameter sets and an IDR slice. */
const KEYFRAME = Buffer.concat([
  Buffer.from([0x78]),
  ...[SPS, PPS, Buffer.from('6588840a', 'hex')].flatMap((unit) => [Buffer.from([0, unit.length]), unit]),
]);
const SLICE = Buffer.from('419a0204', 'hex');

const packet = (payloadType: number, sequence: number, timestamp: number, payload: Buffer): RtpPacket => ({
  marker: payloadType !== 111,
  payloadType,
  sequence,
  timestamp,
  ssrc: payloadType as Ssrc,
  extension: undefined,
  headerBytes: 12,
  payload,
});

function ingestOf(video: RtpLegTerms = VIDEO, more: { readonly transportSequenceId?: number } = {}) {
  const unreadable: string[] = [];
  const events: MediaEvent[] = [];
  const sent: RtcpPacket[] = [];
  const ingest = new RtpIngest({
    legs: [
      { ...video, ...more },
      { ...AUDIO, ...more },
    ],
    ownSsrc: 1 as Ssrc,
    emit: (event) => events.push(event),
    sendRtcp: (packets) => sent.push(...packets),
    onUnreadable: ({ codec }, reason) => unreadable.push(`${codec}: ${reason}`),
  });
  const samples = (kind: string) =>
    events.flatMap((event) => (event.type === 'sample' && event.sample.kind === kind ? [event.sample] : []));
  return { ingest, events, sent, samples, unreadable };
}

describe('RtpIngest', () => {
  it('begins with what decoders need, and a keyframe', () => {
    const { ingest, events, samples } = ingestOf();
    ingest.rtp(packet(102, 1, 0, SLICE), 0);
    ingest.rtp(packet(102, 2, 3600, KEYFRAME), 40);
    ingest.rtp(packet(111, 1, 0, Buffer.from('opus')), 40);
    ingest.rtp(packet(102, 3, 7200, SLICE), 80);
    expect(events.slice(0, 2).map((event) => event.type === 'config' && event.config.codec)).toEqual(['h264', 'opus']);
    expect(samples('video').map(({ keyframe, dts }) => [keyframe, dts])).toEqual([
      [true, 40_000],
      [false, 80_000],
    ]);
  });

  it('asks for what is missing, takes it from the source of repetitions, and else asks for a keyframe', () => {
    const { ingest, sent, samples } = ingestOf();
    ingest.rtp(packet(111, 1, 0, Buffer.from('opus')), 0);
    ingest.rtp(packet(102, 1, 0, KEYFRAME), 0);
    ingest.rtp(packet(102, 3, 7200, SLICE), 80);
    ingest.tick(100);
    expect(sent).toContainEqual({ type: 'nack', sender: 1, media: 102, lost: [2] });
    ingest.rtp(packet(103, 900, 3600, Buffer.concat([Buffer.from([0, 2]), SLICE])), 120);
    expect(samples('video').map(({ dts }) => dts)).toEqual([0, 40_000, 80_000]);
    ingest.rtp(packet(102, 5, 14_400, SLICE), 160);
    sent.length = 0;
    ingest.tick(400);
    expect(sent.map(({ type }) => type)).toContain('pli');
    ingest.rtp(packet(102, 6, 18_000, SLICE), 410);
    expect(samples('video')).toHaveLength(3);
    ingest.rtp(packet(102, 7, 21_600, KEYFRAME), 420);
    expect(samples('video').at(-1)?.keyframe).toBe(true);
  });

  const HEVC_SETS = [
    '40010c01ffff01600000030090000003000003003c959409',
    '42010101600000030090000003000003003ca00a080c1f3e5999929385e02d0100000303e90000753008',
    '4401c073c189',
  ].map((unit) => Buffer.from(unit, 'hex'));
  const hevc = (unit: string, sets: readonly Buffer[] = []) =>
    packetiseHevc(joinLengthPrefixed([Buffer.from(unit, 'hex')]), 1200, sets);
  const vp9 = (frame: string, pictureId: number) =>
    packetiseVp9(Buffer.from(frame, 'hex'), 1200, { pictureId, keyframe: pictureId === 1 });
  const obu = (type: number, payload: string) =>
    `${(type * 8 + 2).toString(16).padStart(2, '0')}${(payload.length / 2).toString(16).padStart(2, '0')}${payload}`;
  const av1 = (unit: string, keyframe: boolean) => packetiseAv1(Buffer.from(unit, 'hex'), 1200, { keyframe });

  it.each([
    ['hevc', 320, hevc('2601af08', HEVC_SETS), hevc('0201d0097e')],
    [
      'vp8',
      640,
      packetiseVp8(Buffer.from('d01a009d012a80026801', 'hex'), 1200, 1),
      packetiseVp8(Buffer.from('d1', 'hex'), 1200, 2),
    ],
    ['vp9', 640, vp9('824983420027f016700000', 1), vp9('8600', 2)],
    ['av1', 1280, av1(`${obu(1, '0000002d4cffb3c02f8004')}${obu(6, '1000')}`, true), av1(obu(6, '3000'), false)],
  ] as const)('takes %s, too, from a keyframe on', (codec, width, keyframe, next) => {
    const { ingest, events, samples, unreadable } = ingestOf({ ...VIDEO, codec });
    const payloads = [next, keyframe, next].map(([payload]) => Buffer.concat(payload?.pieces ?? []));
    for (const [at, payload] of payloads.entries()) ingest.rtp(packet(102, at + 1, at * 3600, payload), at * 40);
    ingest.end();
    const configs = events.flatMap((event) => (event.type === 'config' ? [event.config] : []));
    expect(configs).toMatchObject([{ codec, width, track: 0 }]);
    expect(samples('video').map((sample) => sample.keyframe)).toEqual([true, false]);
    expect(unreadable).toEqual([]);
  });

  it('says once what it can not read, and goes on', () => {
    const { ingest, samples, unreadable } = ingestOf({ ...VIDEO, codec: 'vp9' });
    // Of a second spatial layer.
    const layer = Buffer.from('a8014200864400', 'hex');
    for (const at of [1, 2]) ingest.rtp(packet(102, at, at * 3600, layer), at * 40);
    const [keyframe] = vp9('824983420027f016700000', 1);
    ingest.rtp(packet(102, 3, 10_800, Buffer.concat(keyframe?.pieces ?? [])), 120);
    ingest.end();
    expect(unreadable).toEqual([expect.stringContaining('vp9: VP9 of spatial layer 1')]);
    expect(samples('video')).toHaveLength(1);
  });

  it('puts the sound where the sender reports say that it belongs', () => {
    const { ingest, samples } = ingestOf();
    const report = (ssrc: number, rtpTimestamp: number, ms: number): RtcpPacket => ({
      type: 'sender-report',
      ssrc: ssrc as Ssrc,
      ntpSeconds: 1000 + Math.floor(ms / 1000),
      ntpFraction: ((ms % 1000) / 1000) * 2 ** 32,
      rtpTimestamp,
      packets: 0,
      octets: 0,
      reports: [],
    });
    // The sound of the same moment comes 100 ms later than the picture.
    ingest.rtp(packet(102, 1, 0, KEYFRAME), 0);
    ingest.rtp(packet(111, 1, 0, Buffer.from('opus')), 100);
    ingest.rtcp([report(102, 0, 0), report(111, 0, 0)], 110);
    ingest.rtp(packet(102, 2, 90_000, SLICE), 1000);
    ingest.rtp(packet(111, 2, 48_000, Buffer.from('opus')), 1100);
    expect(Math.abs((samples('audio').at(-1)?.dts ?? 0) - 1_000_000)).toBeLessThan(1000);
    expect(samples('video').at(-1)?.dts).toBe(1_000_000);
  });

  it('reports each second what came, and how much may come', () => {
    const { ingest, sent } = ingestOf();
    ingest.rtp(packet(102, 1, 0, KEYFRAME), 0);
    ingest.tick(1000);
    expect(sent.map(({ type }) => type)).toEqual(expect.arrayContaining(['receiver-report', 'pli', 'remb']));
    sent.length = 0;
    ingest.tick(1020);
    expect(sent).toEqual([]);
  });

  it('tells a publisher that numbers its packets when each came, and no bitrate', () => {
    const { ingest, sent } = ingestOf(VIDEO, { transportSequenceId: 3 });
    const numbered = (number: number, of: RtpPacket): RtpPacket => {
      const content = writeHeaderExtension([{ id: 3, content: Buffer.from([number >>> 8, number & 0xff]) }]);
      return { ...of, extension: { profile: 0xbede, content } };
    };
    ingest.rtp(numbered(65_535, packet(102, 1, 0, KEYFRAME)), 640);
    ingest.rtp(numbered(1, packet(111, 1, 0, Buffer.from('opus'))), 641);
    // Sent once more; and one without a number.
    ingest.rtp(numbered(2, packet(103, 1, 0, Buffer.concat([Buffer.from([0, 2]), SLICE]))), 650);
    ingest.rtp(packet(102, 3, 7200, SLICE), 660);
    ingest.tick(1000);
    expect(sent.map(({ type }) => type)).toEqual(['receiver-report', 'pli', 'transport-feedback']);
    expect(sent.at(-1)).toEqual({
      type: 'transport-feedback',
      sender: 1,
      media: 102,
      count: 0,
      base: 65_535,
      referenceTime: 10,
      arrivals: [0, undefined, 4, 40],
    });
    sent.length = 0;
    ingest.tick(1020);
    ingest.tick(1120);
    expect(sent).toEqual([]);
  });
});
