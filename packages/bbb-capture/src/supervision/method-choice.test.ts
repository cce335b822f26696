import { expect, test } from 'vitest';
import { MethodChoice } from './method-choice.js';

const SMALL = { width: 1280, height: 720, method: 'auto' } as const;
const LARGE = { width: 1920, height: 1080, method: 'auto' } as const;

test('auto is the tab up to 720p, and a display above, where there can be one', () => {
  expect(new MethodChoice(SMALL, true).current).toBe('tab');
  expect(new MethodChoice(LARGE, true).current).toBe('display');
  expect(new MethodChoice(LARGE, false).current).toBe('tab');
});

test('what is asked for is kept to', () => {
  for (const method of ['tab', 'display'] as const) {
    const choice = new MethodChoice({ ...LARGE, method }, true);
    expect([choice.failed('no-encoder'), choice.current]).toEqual([false, method]);
  }
});

test('auto goes the other way where one can not begin, not where something else is wrong', () => {
  const choice = new MethodChoice(SMALL, true);
  expect([choice.failed('no-browser'), choice.failed('wrong-secret'), choice.current]).toEqual([false, false, 'tab']);
  expect([choice.failed('no-encoder'), choice.current]).toEqual([true, 'display']);
  expect([choice.failed('browser-failed'), choice.current]).toEqual([true, 'tab']);
  const bare = new MethodChoice(SMALL, false);
  expect([bare.failed('no-encoder'), bare.current]).toEqual([false, 'tab']);
});
