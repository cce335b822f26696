import { describe, expect, it } from 'vitest';
import { marksWith, markText } from './clip-marks.js';
import { formatBytes } from './file-row.js';
import { RecordingUrls, recordedPathOf } from './recording-urls.js';
import { dayText, ticksOf, timeOfDay, windowAround, windowBeside, zoomFor } from './time-window.js';

const TIME = new Date(2026, 10, 21, 10, 17, 31).getTime();
const HOUR_MS = 3_600_000;

describe('the window of the bar', () => {
  it('is the day, the hour or the ten minutes around a time', () => {
    expect(windowAround(TIME, 'day').start).toBe(new Date(2026, 10, 21).getTime());
    expect(windowAround(TIME, 'day').end).toBe(new Date(2026, 10, 22).getTime());
    expect(windowAround(TIME, 'hour').start).toBe(new Date(2026, 10, 21, 10).getTime());
    expect(windowAround(TIME, 'minutes').start).toBe(new Date(2026, 10, 21, 10, 10).getTime());
  });

  it.each(['day', 'hour', 'minutes'] as const)('goes on and back by a %s', (zoom) => {
    const window = windowAround(TIME, zoom);
    const next = windowBeside(window, zoom, 1);
    expect(next.start).toBe(window.end);
    expect(windowBeside(next, zoom, -1)).toEqual(window);
  });

  it('has lines', () => {
    const hour = ticksOf(windowAround(TIME, 'hour'), 'hour');
    expect(hour.map(({ label }) => label)).toEqual(['10:00', '10:10', '10:20', '10:30', '10:40', '10:50']);
    expect(ticksOf({ start: 0, end: 24 * HOUR_MS }, 'day').map(({ share }) => share)[4]).toBe(0.5);
  });

  it('is as near as a length of time fits', () => {
    expect([0, 600_000, 600_001, HOUR_MS, HOUR_MS + 1].map(zoomFor)).toEqual([
      'minutes',
      'minutes',
      'hour',
      'hour',
      'day',
    ]);
  });

  it('reads and writes date fields', () => {
    expect(dayText(TIME)).toBe('2026-11-21');
    expect(timeOfDay('2026-11-21')).toBe(windowAround(TIME, 'day').start);
    expect(timeOfDay('')).toBeUndefined();
  });
});

describe('marks', () => {
  it('are kept in order', () => {
    const none = { start: undefined, end: undefined };
    expect(marksWith(marksWith(none, 'start', 5), 'end', 9)).toEqual({ start: 5, end: 9 });
    expect(marksWith({ start: 5, end: 9 }, 'start', 9)).toEqual({ start: 9, end: undefined });
    expect(marksWith({ start: 5, end: 9 }, 'end', 4)).toEqual({ start: undefined, end: 4 });
    expect(markText({ start: TIME, end: TIME + 65_000 })).toBe('10:17:31 to 10:18:36, 1:05');
    expect(markText({ start: TIME, end: undefined })).toBe('From 10:17:31: mark an end.');
  });
});

describe('addresses of recordings', () => {
  it('carry the credential of the page', () => {
    const urls = new RecordingUrls('live/show', '?token=abc');
    expect(urls.timeline).toBe('/live/show/recordings.json?token=abc');
    expect(urls.clip(0, 1500)).toBe(
      '/get?token=abc&path=live%2Fshow&start=1970-01-01T00%3A00%3A00.000Z&duration=1.500&format=mp4',
    );
    const elsewhere = new RecordingUrls('live/show', '?sign=abc', 'http://media:8080');
    expect(elsewhere.playlist(0, 1)).toMatch(/^http:\/\/media:8080\/live\/show\/recordings\.m3u8\?sign=abc&start=1970/);
    expect(elsewhere.file('/live/show/recordings/a.mp4')).toBe(
      'http://media:8080/live/show/recordings/a.mp4?sign=abc&download=1',
    );
    expect(new RecordingUrls('live/show', '').player).toBe('/player/live/show');
  });

  it.each([
    ['/player/live/show/recordings', 'live/show'],
    ['/player/a/b/c/recordings/', 'a/b/c'],
    ['/player/live/recordings', undefined],
    ['/player/live/../recordings', undefined],
  ])('%s is of %s', (pathname, path) => {
    expect(recordedPathOf(pathname)).toBe(path);
  });
});

describe('sizes', () => {
  it.each([
    [640_000, '640 kB'],
    [12_500_000, '12.5 MB'],
    [3_200_000_000, '3.2 GB'],
  ])('%i is %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});
