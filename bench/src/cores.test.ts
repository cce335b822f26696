import { describe, expect, test } from 'vitest';
import { parseCpuList, planCores } from './cores.js';

test('parses CPU lists', () => {
  expect(parseCpuList('0')).toEqual([0]);
  expect(parseCpuList('0-1')).toEqual([0, 1]);
  expect(parseCpuList('0-2,5,7-8')).toEqual([0, 1, 2, 5, 7, 8]);
});

describe('planCores', () => {
  test('gives the server one core and the load the rest', () => {
    expect(planCores([2, 3, 5], true)).toEqual({ server: [2], load: [3, 5], pinned: true });
  });

  test('warns where they share a core', () => {
    expect(planCores([0], true)).toMatchObject({ server: [0], load: [0], caution: expect.stringContaining('shared') });
  });

  test('warns where nothing can be pinned', () => {
    expect(planCores([0, 1], false)).toMatchObject({ pinned: false, caution: expect.stringContaining('taskset') });
  });
});
