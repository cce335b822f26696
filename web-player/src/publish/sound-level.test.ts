import { describe, expect, it } from 'vitest';
import { fallingLevel, peakLevel, SILENCE_DB } from './sound-level.js';

describe('peakLevel', () => {
  it.each([
    [[], SILENCE_DB],
    [[0, 0], SILENCE_DB],
    [[1e-9], SILENCE_DB],
    [[0.1, -0.01], -20],
    [[0.2, -1], 0],
    [[1.5], 0],
  ])('%j is %d dB', (samples, level) => {
    expect(peakLevel(samples)).toBeCloseTo(level, 9);
  });
});

describe('fallingLevel', () => {
  it('rises at once and falls slowly, down to silence', () => {
    expect(fallingLevel(-50, -10, 0.1)).toBe(-10);
    expect(fallingLevel(-10, -50, 0.5)).toBe(-23);
    expect(fallingLevel(-10, SILENCE_DB, 60)).toBe(SILENCE_DB);
  });
});
