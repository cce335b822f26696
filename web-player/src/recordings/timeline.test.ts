import { describe, expect, it } from 'vitest';
import { nextRecorded, pictureAt, sharesIn, timelineOf } from './timeline.js';

const SPANS = [
  { start: 1000, end: 5000 },
  { start: 9000, end: 12_000 },
];

describe('the timeline of recordings', () => {
  it('reads what the server tells', () => {
    const file = { id: 'a', container: 'mp4', state: 'ready', start: '1970-01-01T00:00:01Z', duration: 4 };
    const told = { ...file, bytes: 10, tracks: [{ kind: 'audio' }], playable: true, url: '/a' };
    const spans = [{ start: '1970-01-01T00:00:01Z', duration: 4, recording: true }];
    expect(timelineOf({ spans, files: [told] })).toMatchObject({
      spans: [{ start: 1000, end: 5000 }],
      files: [{ id: 'a', start: 1000, end: 5000, hasPicture: false }],
      isGrowing: true,
    });
  });

  it.each([
    [0, 1000],
    [1000, 1000],
    [3000, 3000],
    [5000, 9000],
    [11_999, 11_999],
    [12_000, undefined],
  ])('after %i comes %s', (time, next) => {
    expect(nextRecorded(SPANS, time)).toBe(next);
  });

  it('shows the parts that are in a window', () => {
    expect(sharesIn(SPANS, { start: 3000, end: 13_000 })).toEqual([
      { left: 0, width: 0.2 },
      { left: 0.6, width: 0.3 },
    ]);
    expect(sharesIn(SPANS, { start: 5000, end: 9000 })).toEqual([]);
  });

  it('knows which file has a picture', () => {
    const file = { container: 'mp4', state: 'ready', bytes: 1, duration: 4, playable: true, hasPicture: true, url: '' };
    const files = [
      { ...file, id: 'a', start: 1000, end: 5000 },
      { ...file, id: 'b', start: 9000, end: 12_000, hasPicture: false },
    ];
    expect(pictureAt(files, 3500)).toEqual({ id: 'a', at: 2.5 });
    expect(pictureAt(files, 5000)).toBeUndefined();
    expect(pictureAt(files, 9500)).toBeUndefined();
  });
});
