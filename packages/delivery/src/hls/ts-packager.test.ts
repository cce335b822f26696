import {
  type AudioTrackConfig,
  aacTrackConfig,
  h264TrackConfig,
  micros,
  millis,
  type Sample,
  TsDemuxer,
  vp9TrackConfig,
} from '@sluice/media';
import { describe, expect, it } from 'vitest';
import { CutPolicy } from '../segments/cut-policy.js';
import type { Segment } from './segment.js';
import { TsPackager } from './ts-packager.js';

const VIDEO = h264TrackConfig(
  0,
  Buffer.from('014d401effe10018674d401eecc05017fcb808800000030080000019078b16cd01000568e97b2c80', 'hex'),
);
const AUDIO: AudioTrackConfig = aacTrackConfig(1, Buffer.from('1190', 'hex'));

const video = (ms: number, keyframe: boolean): Sample => ({
  track: 0,
  kind: 'video',
  dts: micros(ms * 1000),
  pts: micros(ms * 1000),
  keyframe,
  data: Buffer.from([0, 0, 0, 2, keyframe ? 0x65 : 0x41, 0x88]),
});
const audio = (ms: number): Sample => ({
  track: 1,
  kind: 'audio',
  dts: micros(ms * 1000),
  pts: micros(ms * 1000),
  keyframe: true,
  data: Buffer.from([1, 2, 3]),
});

function segmenter(targetSeconds = 2) {
  const segments: Segment[] = [];
  const unsupported: string[] = [];
  const made = new TsPackager({
    cuts: new CutPolicy(micros(targetSeconds * 1_000_000)),
    firstNumber: () => 0,
    wallTimeOf: (dts) => millis(1_000_000 + dts / 1000),
    events: {
      init: () => {},
      part: () => {},
      segment: (segment) => segments.push(segment),
      unsupported: (config) => unsupported.push(config.codec),
    },
  });
  return { made, segments, unsupported };
}
const seconds = (segments: readonly Segment[]) => segments.map(({ duration }) => duration / 1_000_000);

describe('TsPackager', () => {
  it('cuts at keyframes, and its durations add up to the time that the stream took', () => {
    const { made, segments } = segmenter();
    made.configure([VIDEO, AUDIO]);
    for (let ms = 0; ms <= 7000; ms += 40) {
      made.sample(video(ms, ms % 1000 === 0));
      made.sample(audio(ms + 10));
    }
    expect(seconds(segments)).toEqual([2, 2, 2]);
    expect(segments.map(({ number }) => number)).toEqual([0, 1, 2]);
    expect(segments.map(({ startedAt }) => startedAt)).toEqual([1_000_000, 1_002_000, 1_004_000]);
    for (const { bytes } of segments) {
      const events = new TsDemuxer().push(bytes);
      const first = events.find((event) => event.type === 'sample' && event.sample.kind === 'video');
      expect(first).toMatchObject({ sample: { keyframe: true } });
      expect(bytes.length % 188).toBe(0);
    }
  });

  it('takes a keyframe that comes a little early, and begins with none but a keyframe', () => {
    const { made, segments } = segmenter();
    made.configure([VIDEO]);
    made.sample(video(0, false));
    for (const ms of [40, 1000, 1990, 4000]) made.sample(video(ms, ms !== 1000));
    expect(seconds(segments)).toEqual([1.95, 2.01]);
  });

  it('cuts a GOP that never ends, so that it can not fill the memory', () => {
    const { made, segments } = segmenter();
    made.configure([VIDEO]);
    for (let ms = 0; ms <= 45_000; ms += 40) made.sample(video(ms, ms === 0));
    expect(seconds(segments)).toEqual([20, 20]);
  });

  it('cuts sound anywhere', () => {
    const { made, segments } = segmenter(1);
    made.configure([AUDIO]);
    for (let ms = 0; ms < 3100; ms += 20) made.sample(audio(ms));
    expect(seconds(segments)).toEqual([1, 1, 1]);
  });

  it('marks a seam where an encoder came back or the tracks changed, and only there', () => {
    const { made, segments } = segmenter();
    made.configure([VIDEO]);
    made.configure([VIDEO]);
    for (const ms of [0, 1000, 2000, 2500]) made.sample(video(ms, ms % 2000 === 0));
    made.configure([VIDEO]);
    made.sample(video(2600, false));
    made.discontinuity();
    for (const ms of [2700, 3000, 5000]) made.sample(video(ms, ms !== 2700));
    made.configure([VIDEO, AUDIO]);
    for (const ms of [5100, 7100]) made.sample(video(ms, true));
    expect(segments.map(({ discontinuity }) => discontinuity)).toEqual([false, false, true, true]);
    expect(seconds(segments)).toEqual([2, 0.6, 2, 2]);
  });

  it('says which codecs it leaves out', () => {
    const { made, segments, unsupported } = segmenter(1);
    made.configure([vp9TrackConfig(0, Buffer.from('01000000000a82020202' + '0000', 'hex')), AUDIO]);
    for (let ms = 0; ms < 1100; ms += 20) made.sample(audio(ms));
    expect(unsupported).toEqual(['vp9']);
    expect(segments).toHaveLength(1);
  });
});
