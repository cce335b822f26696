import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BadQuery, durationOf, rangeOf, timeOf } from './recording-time.js';

const NOON = Date.UTC(2026, 10, 21, 12);

describe('times of URLs', () => {
  it.each([
    ['2026-11-21T12:00:00Z', NOON],
    ['2026-11-21T12:00:00.5Z', NOON + 500],
    ['2026-11-21T13:30:00+01:30', NOON],
    ['2026-11-21T13:30:00 01:30', NOON],
    ['2026-11-21t12:00:00z', NOON],
  ])('reads %s', (text, time) => {
    expect(timeOf(text, 'start')).toBe(time);
  });

  it.each(['', 'now', '2026-11-21', '2026-11-21T12:00:00', '2026-13-41T12:00:00Z', '1700000000'])(
    'refuses "%s"',
    (text) => {
      expect(() => timeOf(text, 'start')).toThrow(BadQuery);
    },
  );

  it.each([
    ['90.5', 90_500],
    ['2.0001220703125', 2000.1220703125],
    ['1h2m3.5s', 3_723_500],
    ['200s', 200_000],
    ['5m', 300_000],
  ])('reads a duration of %s', (text, duration) => {
    expect(durationOf(text)).toBeCloseTo(duration, 6);
  });

  it('bears anything', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        for (const read of [() => timeOf(text, 'start'), () => durationOf(text)]) {
          try {
            expect(Number.isFinite(read())).toBe(true);
          } catch (error) {
            expect(error).toBeInstanceOf(BadQuery);
          }
        }
      }),
    );
  });

  it('makes a range of a start and a duration, or of both ends', () => {
    const start = '2026-11-21T12:00:00Z';
    expect(rangeOf(new URLSearchParams({ start, duration: '5' }))).toEqual({ from: NOON, to: NOON + 5000 });
    expect(rangeOf(new URLSearchParams({ start, end: '2026-11-21T12:00:05Z' }))).toEqual({
      from: NOON,
      to: NOON + 5000,
    });
    expect(rangeOf(new URLSearchParams())).toEqual({});
    expect(() => rangeOf(new URLSearchParams({ duration: '5' }))).toThrow('a duration needs a start');
    expect(() => rangeOf(new URLSearchParams({ start, end: start }))).toThrow('after the start');
  });
});
