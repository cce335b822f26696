import { expect, test } from 'vitest';
import { LOOK } from './grab-arguments.js';
import { LumaLooks } from './luma-look.js';

const SIZE = LOOK.width * LOOK.height;

test('pictures are looked at however their bytes come', () => {
  const looks = new LumaLooks();
  const half = Buffer.concat([Buffer.alloc(SIZE / 2, 100), Buffer.alloc(SIZE / 2, 200)]);
  const stream = Buffer.concat([Buffer.alloc(SIZE, 16), half, half]);
  expect(looks.push(stream.subarray(0, 100))).toEqual([]);
  expect(looks.push(stream.subarray(100, SIZE + 10))).toEqual([{ mean: 16, deviation: 0, change: 255, captured: 1 }]);
  expect(looks.push(stream.subarray(SIZE + 10))).toEqual([
    { mean: 150, deviation: 50, change: 134, captured: 2 },
    { mean: 150, deviation: 50, change: 0, captured: 3 },
  ]);
});
