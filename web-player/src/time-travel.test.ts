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

describe('TimeTravel where another protocol has the past', () => {
  function travelElsewhere(past: number | undefined) {
    const video = { currentTime: 150 };
    const went: (number | 'back')[] = [];
    const engine = { livePosition: () => undefined };
    const elsewhere = {
      past: () => past,
      now: () => 1_000_000,
      goBack: (behind: number) => {
        went.push(behind);
        elsewhere.isThere = true;
      },
      isThere: false,
      comeBack: () => went.push('back'),
    };
    const seek = () => expect.unreachable();
    const travel = new TimeTravel({
      video: video as HTMLVideoElement,
      engine: () => engine as unknown as Engine,
      seek,
      elsewhere,
    });
    return { travel, went };
  }

  it('goes there, and comes back to the live edge', () => {
    const { travel, went } = travelElsewhere(60);
    expect(travel.range).toEqual({ start: 90, end: 150 });
    expect(travel.dateAt(140)).toBe(990_000);
    travel.seekBy(-20);
    travel.seekBy(-500);
    expect(went).toEqual([20, 60]);
    travel.resume();
    expect(went).toHaveLength(2);
    travel.toLiveEdge();
    expect(went.at(-1)).toBe('back');
  });

  it('stays where there is none worth it', () => {
    for (const past of [undefined, 12]) {
      const { travel, went } = travelElsewhere(past);
      expect(travel.range).toBeUndefined();
      travel.seekBy(-5);
      expect(went).toEqual([]);
    }
  });
});
