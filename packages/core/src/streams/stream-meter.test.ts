import { micros, millis, type Sample } from '@sluice/media';
import { describe, expect, it } from 'vitest';
import { StreamMeter } from './stream-meter.js';

const DATA = Buffer.alloc(0);

/** An encoder of 25 pictures and 50 sounds a second, 1000 bytes each, with a keyframe every two seconds. */
class Encoder {
  readonly meter = new StreamMeter(millis(0));
  /** Seconds that have passed, and that the encoder has sent. */
  now = 0;
  media = 0;
  /** How far sound is ahead, ms. */
  ahead = 0;
  fps = 25;
  hasSound = true;
  keyframes = true;

  send(seconds: number): void {
    for (let second = 0; second < seconds; second++) {
      for (let at = 0; at < 1000; at++) {
        if (this.hasSound && at % 20 === 0) this.#sample('audio', at + this.ahead, true);
        if (this.fps > 0 && at % (1000 / this.fps) === 0)
          this.#sample('video', at, this.keyframes && at === 0 && this.media % 2 === 0);
      }
      this.media += 1;
      this.pass(1);
    }
  }

  pass(seconds: number): void {
    for (let second = 0; second < seconds; second++) {
      this.now += 1;
      this.meter.tick(millis(this.now * 1000), millis(5000 + this.now * 1000), 7);
    }
  }

  #sample(kind: Sample['kind'], ms: number, keyframe: boolean): void {
    const dts = micros((this.media * 1000 + ms) * 1000);
    this.meter.received(1000);
    this.meter.note({ track: kind === 'video' ? 0 : 1, kind, dts, pts: dts, keyframe, data: DATA });
  }
}

describe('the meter of a stream', () => {
  it('tells rates of the last seconds, and keyframes', () => {
    const encoder = new Encoder();
    expect(encoder.meter.figures).toMatchObject({ bitrate: 0, fps: undefined, keyframeInterval: undefined });
    encoder.send(1);
    expect(encoder.meter.figures).toMatchObject({ bitrate: 600_000, fps: 25, sinceKeyframe: 0 });
    encoder.send(9);
    expect(encoder.meter.figures).toMatchObject({ keyframeInterval: 2, sinceKeyframe: 1, usualFps: undefined });
    encoder.fps = 20;
    encoder.keyframes = false;
    encoder.send(25);
    expect(encoder.meter.figures).toMatchObject({ fps: 20, sinceKeyframe: 26, keyframeInterval: 2 });
    expect(encoder.meter.figures.usualFps).toBeCloseTo((10 * 25 + 20 * 20) / 30);
  });

  it('leaves out of the first rates what was before the first sample', () => {
    const encoder = new Encoder();
    encoder.pass(3);
    encoder.now += 0.5;
    encoder.send(3);
    expect(encoder.meter.figures).toMatchObject({ fps: 25, bitrate: 600_000 });
  });

  it('tells for how long nothing has come, and begins anew with another encoder', () => {
    const encoder = new Encoder();
    encoder.send(40);
    encoder.pass(4);
    expect(encoder.meter.figures).toMatchObject({ silentSeconds: 4, picturelessSeconds: 4, bitrate: 120_000 });
    encoder.meter.restart(millis(44_000));
    encoder.send(1);
    // What was before the gap counts neither for the rates nor as a distance of keyframes.
    expect(encoder.meter.figures).toMatchObject({
      ...{ bitrate: 600_000, fps: 25, usualFps: undefined, silentSeconds: 0 },
      ...{ keyframeInterval: undefined, avDrift: undefined, reconnects: 1 },
    });
    encoder.send(9);
    expect(encoder.meter.figures.usualFps).toBeCloseTo(25);
    encoder.pass(301);
    expect(encoder.meter.figures.reconnects).toBe(0);
  });

  it('tells how far sound and picture have moved apart, wherever they began', () => {
    const encoder = new Encoder();
    encoder.ahead = 300;
    encoder.send(10);
    expect(encoder.meter.figures.avDrift).toBe(0);
    encoder.ahead = 400;
    encoder.send(20);
    expect(encoder.meter.figures.avDrift).toBe(100);
    encoder.ahead = 180;
    encoder.send(20);
    expect(encoder.meter.figures.avDrift).toBe(-120);
    encoder.hasSound = false;
    encoder.send(20);
    expect(encoder.meter.figures.avDrift).toBe(-120);
  });

  it('tells no drift of what has no sound, and no pictures of sound alone', () => {
    const silent = new Encoder();
    silent.hasSound = false;
    silent.send(20);
    expect(silent.meter.figures.avDrift).toBeUndefined();
    const blind = new Encoder();
    blind.fps = 0;
    blind.send(20);
    expect(blind.meter.figures).toMatchObject({ fps: undefined, avDrift: undefined, bitrate: 400_000 });
  });

  it('remembers ten minutes, oldest first', () => {
    const encoder = new Encoder();
    encoder.send(1);
    expect(encoder.meter.history).toEqual({
      ...{ at: [6000], bitrate: [600_000], fps: [25], viewers: [7], keyframeInterval: [null], avDrift: [null] },
    });
    expect(encoder.meter.bitrates(60)).toEqual([600_000]);
    encoder.pass(700);
    expect(encoder.meter.bitrates(3)).toEqual([0, 0, 0]);
    const { at, fps } = encoder.meter.history;
    expect([at.length, at[0], at.at(-1), fps.at(-1)]).toEqual([600, 107_000, 706_000, 0]);
  });
});
