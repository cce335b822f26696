import { describe, expect, it } from 'vitest';
import { FrameCounter } from './frame-counter.js';

describe('FrameCounter', () => {
  it('adds up over sources that each begin at nothing', () => {
    const counter = new FrameCounter();
    expect([0, 30, 60, 0, 10, 5].map((count) => counter.observe(count))).toEqual([0, 30, 60, 60, 70, 75]);
  });
});
