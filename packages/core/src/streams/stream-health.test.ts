import { aacTrackConfig, h264TrackConfig } from '@sluice/media';
import { describe, expect, it } from 'vitest';
import { type HealthFacts, streamHealth } from './stream-health.js';
import type { StreamFigures } from './stream-meter.js';

const AVCC = '014d401effe10018674d401eecc05017fcb808800000030080000019078b16cd01000568e97b2c80';
const VIDEO = { ...h264TrackConfig(0, Buffer.from(AVCC, 'hex')), frameRate: 25 };
const AUDIO = aacTrackConfig(1, Buffer.from('1190', 'hex'));
const WELL: StreamFigures = {
  ...{ bitrate: 2_000_000, fps: 25, usualFps: 25, keyframeInterval: 2, sinceKeyframe: 1, avDrift: 10 },
  ...{ silentSeconds: 0, picturelessSeconds: 0, reconnects: 0 },
};

const judged = (figures: Partial<StreamFigures> = {}, facts: Partial<HealthFacts> = {}) => {
  const { state, reasons } = streamHealth({
    ...{ state: 'live', tracks: [VIDEO, AUDIO], hasBFrames: false, webRtcViewers: 0 },
    figures: { ...WELL, ...figures },
    ...facts,
  });
  return [state, ...reasons.map(({ code }) => code)];
};

describe('the health of a stream', () => {
  it('is good where nothing is wrong', () => {
    expect(judged()).toEqual(['good']);
    expect(judged({ fps: undefined, keyframeInterval: undefined }, { tracks: [AUDIO] })).toEqual(['good']);
    // Just begun: nothing is known yet.
    expect(judged({ fps: 3, usualFps: undefined, sinceKeyframe: undefined, avDrift: undefined })).toEqual(['good']);
  });

  it.each<[string[], Partial<StreamFigures>, Partial<HealthFacts>]>([
    [['bad', 'encoder-gone'], { silentSeconds: 9 }, { state: 'waiting' }],
    [['bad', 'nothing-comes'], { silentSeconds: 3, picturelessSeconds: 3, sinceKeyframe: 60 }, {}],
    [['bad', 'no-picture'], { picturelessSeconds: 3, sinceKeyframe: 60 }, {}],
    [['bad', 'no-tracks'], { picturelessSeconds: 3 }, { tracks: [] }],
    [['bad', 'no-keyframe'], { sinceKeyframe: 16, keyframeInterval: 8 }, {}],
    [['warning', 'keyframes-rare'], { keyframeInterval: 8, sinceKeyframe: 7 }, {}],
    [['warning', 'frames-dropped'], { fps: 19 }, {}],
    [['bad', 'frames-dropped'], { fps: 12 }, {}],
    [['warning', 'av-drift'], { avDrift: 81 }, {}],
    [['bad', 'av-drift'], { avDrift: -251 }, {}],
    [['warning', 'b-frames'], {}, { hasBFrames: true, webRtcViewers: 2 }],
    [['good'], {}, { hasBFrames: true }],
    [['warning', 'reconnects'], { reconnects: 3 }, {}],
    [['bad', 'reconnects', 'keyframes-rare', 'av-drift'], { reconnects: 5, keyframeInterval: 6, avDrift: 300 }, {}],
  ])('is %j', (expected, figures, facts) => {
    expect(judged(figures, facts)).toEqual(expected);
  });

  it('goes by what is usual where the encoder promised nothing, and says it in words', () => {
    const { frameRate: _, ...vague } = VIDEO;
    const { reasons } = streamHealth({
      ...{ state: 'live', tracks: [vague], hasBFrames: false, webRtcViewers: 0 },
      figures: { ...WELL, fps: 30, usualFps: 50 },
    });
    expect(reasons).toEqual([
      {
        code: 'frames-dropped',
        severity: 'warning',
        value: 30,
        message: "30 pictures a second come instead of 50: the encoder or its line can't keep up",
      },
    ]);
  });
});
