import { expect, test } from 'vitest';
import { MediaWatch, type WatchEvent } from './media-watch.js';

const GOOD = { mean: 90, deviation: 40, change: 2 };

/** Runs the watch for some seconds; by default all is well. */
function run(watch: MediaWatch, from: number, seconds: number, wrong: Partial<Record<string, unknown>> = {}) {
  const events: (WatchEvent & { at: number })[] = [];
  for (let at = from; at < from + seconds * 1000; at += 1000) {
    const {
      stops,
      busy,
      stuck,
      peak = 0.1,
      mute,
      isHeard = true,
      moves = false,
      ...look
    } = wrong as Record<string, never>;
    watch.look({ ...GOOD, ...look, captured: stops ? 1 : at / 100, skipped: busy ? at / 200 : 0 }, at);
    if (!stuck) watch.encoded(at);
    if (!mute) watch.level(peak, at);
    watch.page({ isHeard, moves }, at);
    events.push(...watch.check(at).map((event) => ({ ...event, at: at - from })));
  }
  return events;
}

test('nothing is told where all is well', () => {
  expect(run(new MediaWatch(0), 0, 60)).toEqual([]);
});

test.each([
  ['silent', { peak: 0 }, false],
  ['black', { mean: 16, deviation: 0 }, true],
  ['frozen', { change: 0 }, false],
  ['frozen', { change: 0, moves: true }, true],
  ['frozen', { stops: true }, true],
  ['frozen', { stuck: true }, true],
  ['slow', { busy: true }, false],
  ['audio-lost', { mute: true }, true],
  ['audio-lost', { isHeard: false }, true],
])('%s is told once within 10 s, and that it is over (%#)', (trouble, wrong, isFault) => {
  const watch = new MediaWatch(0);
  run(watch, 0, 5);
  const events = run(watch, 5000, 30, wrong).filter((event) => event.trouble === trouble);
  expect(events).toMatchObject([{ type: 'trouble', trouble, isFault }]);
  expect(events[0]?.at).toBeLessThanOrEqual(10_000);
  expect(run(watch, 35_000, 5)).toContainEqual(expect.objectContaining({ type: 'recovered', trouble }));
});

test('a client that plays nothing is not called silent as well', () => {
  const events = run(new MediaWatch(0), 0, 30, { isHeard: false, peak: 0 });
  expect(events.map(({ trouble }) => trouble)).toEqual(['audio-lost']);
});

test('a still picture that becomes a fault is told again', () => {
  const watch = new MediaWatch(0);
  expect(run(watch, 0, 20, { change: 0 })).toMatchObject([{ trouble: 'frozen', isFault: false }]);
  expect(run(watch, 20_000, 20, { stops: true, change: 0 })).toMatchObject([{ trouble: 'frozen', isFault: true }]);
});

test('a dark picture with something in it is not black', () => {
  expect(run(new MediaWatch(0), 0, 30, { mean: 10, deviation: 9 })).toEqual([]);
});
