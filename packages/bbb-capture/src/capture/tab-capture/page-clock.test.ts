import { expect, test } from 'vitest';
import { PageClock } from './page-clock.js';

test('sound is put onto our clock by the message that was quickest', () => {
  const clock = new PageClock();
  expect(clock.soundTime(0)).toBeUndefined();
  clock.heard(1000, 6900);
  clock.heard(2000, 7100);
  clock.heard(3000, 9500);
  expect(clock.soundTime(10_000)).toBe(15_100);
});

test('pictures are on our clock already', () => {
  const clock = new PageClock();
  expect(clock.pictureTime(1_000_000, 1_020_000)).toBe(1_000_000);
  expect(clock.pictureTime(99_000_000, 1_050_000)).toBe(99_000_000);
});

test('pictures on another clock count from the first', () => {
  const clock = new PageClock();
  expect(clock.pictureTime(5, 90_000_000)).toBe(90_000_000);
  expect(clock.pictureTime(33_005, 90_050_000)).toBe(90_033_000);
});
