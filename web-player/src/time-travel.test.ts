import { describe, expect, it } from 'vitest';
import type { Engine } from './engines/engine.js';
import { TimeTravel } from './time-travel.js';

function travelIn(range: { start: number; end: number } | undefined) {
  const video = { currentTime: 150 };
  const stays: boolean[] = [];
  const engine = {
    livePosition: () => 160,
    timeShift: {
      range: () => range,
      dateAt: (time: number) => time * 1000,
      stayBehind: (on: boolean) => stays.push(on),
    },
  };
  const travel = new TimeTravel({
    video: video as HTMLVideoElement,
    engine: () => engine as unknown as Engine,
    seek: (time) => {
      video.currentTime = time;
    },
  });
  return { travel, video, stays };
}

describe('TimeTravel', () => {
  it('goes back, stays there, and comes back to the live edge', () => {
    const { travel, video, stays } = travelIn({ start: 100, end: 160 });
    travel.seekBy(-20);
    expect([video.currentTime, travel.shifted]).toEqual([130, true]);
    travel.resume();
    expect(video.currentTime).toBe(130);
    travel.seekTo(20);
    expect(video.currentTime).toBe(100);
    travel.seekTo(159);
    expect([video.currentTime, travel.shifted]).toEqual([160, false]);
    expect(stays.at(-1)).toBe(false);
  });

  it('goes on after a pause where that began, or at what is left of the past', () => {
    const range = { start: 100, end: 160 };
    const { travel, video } = travelIn(range);
    travel.pause();
    travel.resume();
    expect([video.currentTime, travel.shifted]).toEqual([150, true]);
    range.start = 155;
    range.end = 215;
    travel.resume();
    expect(video.currentTime).toBe(155);
  });

  it('knows only the live edge where there is no past', () => {
    for (const range of [undefined, { start: 140, end: 160 }]) {
      const { travel, video } = travelIn(range);
      travel.seekBy(-20);
      travel.pause();
      expect([video.currentTime, travel.shifted]).toEqual([150, false]);
      travel.resume();
      expect(video.currentTime).toBe(160);
    }
  });
});
