import { loadConfig, type OutputSource, parseStreamPath } from '@sluice/core';
import {
  av1TrackConfig,
  buildAvcC,
  type Codec,
  h264TrackConfig,
  micros,
  millis,
  type Sample,
  type TrackConfig,
  vp8TrackConfig,
  vp9TrackConfig,
} from '@sluice/media';
import { describe, expect, it } from 'vitest';
import { RtpOutput, type RtpSample, rtpTracks } from './rtp-output.js';

const SPS = Buffer.from('6742c00dd9014197e7c044000003000400000300c83c50a480', 'hex');
const PPS = Buffer.from('68cb83cb20', 'hex');
const VIDEO = h264TrackConfig(1, buildAvcC([SPS], [PPS]));
const AAC = {
  ...VIDEO,
  kind: 'audio',
  track: 2,
  codec: 'aac',
  sampleRate: 48_000,
  channels: 2,
} as unknown as TrackConfig;

const slice = (at: number, keyframe: boolean, data: Buffer = Buffer.from('0000000465888401', 'hex')): Sample => ({
  track: 1,
  kind: 'video',
  dts: micros(at * 40_000),
  pts: micros(at * 40_000),
  keyframe,
  data,
});

function outputOf(bFrames = 'drop') {
  const warned: string[] = [];
  const log = {
    debug: () => {},
    info: () => {},
    warn: (_: object, text: string) => warned.push(text),
    error: () => {},
  };
  const asked: string[] = [];
  const source: OutputSource = {
    path: parseStreamPath('live/show'),
    settings: loadConfig({ environment: { SLUICE_WEBRTC_B_FRAMES: bFrames } }),
    ended: false,
    requestKeyframe: () => asked.push('keyframe'),
    wallTimeOf: () => millis(0),
  };
  const output = new RtpOutput({ ffmpeg: undefined, log, now: () => millis(5) }, source);
  const got: RtpSample[] = [];
  const stills: RtpSample[] = [];
  const ended: string[] = [];
  const codecs: (readonly Codec[])[] = [];
  const consumer = {
    codecs: (now: readonly Codec[]) => codecs.push(now),
    sample: (sample: RtpSample) => got.push(sample),
    still: (sample: RtpSample) => stills.push(sample),
    ended: (reason: string) => ended.push(reason),
  };
  return { output, got, stills, ended, consumer, warned, asked, codecs };
}

describe('RtpOutput', () => {
  it('packs for whoever is there, keyframes with their parameter sets', () => {
    const { output, got, consumer, ended, warned, asked, codecs } = outputOf();
    output.configure({ tracks: [VIDEO, AAC], metadata: {} });
    output.sample(slice(0, true));
    expect([output.viewers, output.idleSince]).toEqual([0, 5]);
    output.attach(consumer);
    expect([asked, codecs]).toEqual([['keyframe'], [['h264']]]);
    output.sample(slice(1, true));
    output.sample(slice(2, false));
    output.sample({ ...slice(2, true), kind: 'audio', track: 2 });
    expect(warned).toEqual([]);
    expect(got.map(({ keyframe, payloads }) => [keyframe, payloads.length])).toEqual([
      [true, 1],
      [false, 1],
    ]);
    const [first] = got;
    expect(Buffer.concat(first?.payloads[0]?.pieces ?? []).includes(SPS)).toBe(true);
    output.end('over');
    expect(ended).toEqual(['over']);
  });

  it('has the last keyframe for who comes between two, as if it were of just now', () => {
    const { output, got, stills, consumer } = outputOf();
    output.configure({ tracks: [VIDEO], metadata: {} });
    output.attach(consumer);
    expect(stills).toEqual([]);
    for (const at of [0, 1, 2]) output.sample(slice(at, at === 0));
    output.attach({ ...consumer });
    expect(stills.map(({ keyframe, pts }) => [keyframe, pts])).toEqual([[true, 80_000]]);
    expect(Buffer.concat(stills[0]?.payloads.flatMap(({ pieces }) => pieces) ?? []).includes(SPS)).toBe(true);
    expect(got.map(({ pts }) => pts)).toEqual([0, 40_000, 80_000]);
    output.discontinuity();
    output.attach({ ...consumer });
    expect(stills).toHaveLength(1);
  });

  it('has none of codecs whose packets count pictures', () => {
    const { output, stills, consumer } = outputOf();
    output.configure({
      tracks: [vp9TrackConfig(1, Buffer.from('01000000000a820202020000', 'hex'))],
      metadata: {},
    });
    output.sample(slice(0, true, Buffer.from('8600', 'hex')));
    output.attach(consumer);
    expect(stills).toEqual([]);
  });

  it('counts the pictures of VP9, whatever becomes of the configuration', () => {
    const { output, got, consumer } = outputOf();
    const vp9 = vp9TrackConfig(1, Buffer.from('01000000000a820202020000', 'hex'));
    output.attach(consumer);
    for (const width of [320, 640]) {
      output.configure({ tracks: [{ ...vp9, width }], metadata: {} });
      for (const keyframe of [true, false])
        output.sample(slice(width + got.length, keyframe, Buffer.from('8600', 'hex')));
    }
    const heads = got.map(({ payloads }) => payloads[0]?.pieces[0]?.toString('hex'));
    expect(heads).toEqual(['8c8000', 'cc8001', '8c8002', 'cc8003']);
  });

  it('puts the sequence header in front of AV1 that is without', () => {
    const { output, got, consumer } = outputOf();
    const record = Buffer.from('81050c000a0b0000002d4cffb3c02f8004', 'hex');
    output.configure({ tracks: [av1TrackConfig(1, record)], metadata: {} });
    output.attach(consumer);
    const frame = Buffer.from('32021000', 'hex');
    output.sample(slice(0, true, frame));
    output.sample(slice(1, true, Buffer.concat([record.subarray(4), frame])));
    const sent = got.map(({ payloads }) => payloads.map(({ pieces }) => Buffer.concat(pieces).toString('hex')));
    // N and two elements: the sequence header, and the frame.
    expect(sent[0]).toEqual(['280c080000002d4cffb3c02f8004301000']);
    expect(sent[1]).toEqual(sent[0]);
  });

  it('copies pieces together as soon as more than one viewer has to have them sealed', () => {
    const { output, got, consumer } = outputOf();
    output.configure({ tracks: [VIDEO], metadata: {} });
    output.attach(consumer);
    output.sample(slice(0, true));
    output.attach({ ...consumer });
    output.sample(slice(0, true));
    const [alone, one, other] = got.map(({ payloads }) => payloads[0]);
    expect(alone?.pieces.length).toBeGreaterThan(1);
    expect(one?.pieces).toEqual([Buffer.concat(alone?.pieces ?? [])]);
    expect([other, one?.length]).toEqual([one, alone?.length]);
  });

  it('leaves out what it can not read', () => {
    const { output, got, consumer } = outputOf();
    output.configure({ tracks: [{ ...VIDEO, description: Buffer.from('00', 'hex') }], metadata: {} });
    output.attach(consumer);
    output.sample(slice(0, true, Buffer.from('0000ffff65', 'hex')));
    expect(got).toEqual([]);
  });

  const DISPOSABLE = Buffer.from('0000000401889900', 'hex');
  const NEEDED = Buffer.from('0000000421889900', 'hex');
  it.each([
    ['drop', [0, 3, 2]],
    ['send', [0, 3, 1, 2]],
  ])('does with B-frames what the policy %s says, and says so once', (policy, shown) => {
    const { output, got, consumer, warned } = outputOf(policy);
    output.configure({ tracks: [VIDEO], metadata: {} });
    output.attach(consumer);
    const pictures: [number, Buffer][] = [
      [0, slice(0, true).data],
      [3, NEEDED],
      [1, DISPOSABLE],
      [2, NEEDED],
    ];
    for (const [at, [pts, data]] of pictures.entries()) {
      output.sample({ ...slice(at, at === 0, data), pts: micros(pts * 40_000) });
    }
    expect(got.map(({ pts }) => pts / 40_000)).toEqual(shown);
    expect(warned).toEqual([expect.stringContaining('B-frames')]);
  });

  it('takes only what browsers play', () => {
    expect(rtpTracks({ tracks: [VIDEO, AAC], metadata: {} }, false)).toEqual([VIDEO]);
    const vp8 = vp8TrackConfig(0, Buffer.from('d01a009d012a80026801', 'hex'));
    expect(rtpTracks({ tracks: [vp8, AAC], metadata: {} }, false)).toEqual([vp8]);
    expect(rtpTracks({ tracks: [VIDEO, AAC], metadata: {} }, true)).toEqual([VIDEO, AAC]);
  });
});
