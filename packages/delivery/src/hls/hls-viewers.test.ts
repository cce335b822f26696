import { type Admission, parseStreamPath } from '@sluice/core';
import { millis } from '@sluice/media';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HlsViewers } from './hls-viewers.js';

const PATH = parseStreamPath('live/show');

describe('HlsViewers', () => {
  const time = { now: 0 };
  beforeEach(() => {
    vi.useFakeTimers();
    time.now = 0;
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const advance = (ms: number) => {
    time.now += ms;
    vi.advanceTimersByTime(ms);
  };
  const viewersWith = () => {
    const closed: string[] = [];
    const admission = (id: string): Admission => ({
      session: {
        id,
        action: 'play',
        protocol: 'hls',
        path: PATH,
        ip: '::1',
        userAgent: undefined,
        openedAt: millis(0),
      },
      close: (reason, bytes) => closed.push(`${id}: ${reason}, ${bytes}`),
    });
    const clock = { monotonic: () => millis(time.now), wall: () => millis(0) };
    return { viewers: new HlsViewers(clock), admission, closed };
  };

  it('counts who is known, and the bytes that each has had', () => {
    const { viewers, admission, closed } = viewersWith();
    expect(viewers.seen('a', 5)).toBe(false);
    viewers.add('a', admission('a'));
    viewers.add('b', admission('b'));
    expect(viewers.seen('a', 100)).toBe(true);
    expect(viewers.seen('a', 20)).toBe(true);
    expect(viewers.countOf(PATH)).toBe(2);
    viewers.close('going down');
    expect(closed).toEqual(['a: going down, 120', 'b: going down, 0']);
    expect([viewers.countOf(PATH), vi.getTimerCount()]).toEqual([0, 0]);
  });

  it('gives a second admission of the same viewer back', () => {
    const { viewers, admission, closed } = viewersWith();
    viewers.add('a', admission('first'));
    viewers.add('a', admission('second'));
    expect([closed, viewers.countOf(PATH)]).toEqual([['second: the same viewer is known, 0'], 1]);
    viewers.close('over');
  });

  it('takes a viewer for gone that asks for nothing for half a minute, and only that one', () => {
    const { viewers, admission, closed } = viewersWith();
    viewers.add('stays', admission('stays'));
    viewers.add('leaves', admission('leaves'));
    advance(20_000);
    viewers.seen('stays', 1);
    advance(10_000);
    expect(closed).toEqual([]);
    advance(2000);
    expect([closed, viewers.countOf(PATH)]).toEqual([['leaves: viewer left, 0'], 1]);
    expect(viewers.seen('leaves', 1)).toBe(false);
    viewers.close('over');
  });
});
