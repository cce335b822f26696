import { micros } from '@sluice/media';
import { describe, expect, it } from 'vitest';
import { PartTarget } from './part-target.js';

describe('PartTarget', () => {
  it('fits to steady frames', () => {
    const target = new PartTarget(micros(200_000));
    for (let frame = 0; frame < 10; frame++) target.frame(micros(frame * 40_000));
    target.decide();
    expect(target.target).toBe(204_000);
    expect([target.cutsBefore(160_000), target.cutsBefore(200_000)]).toEqual([false, true]);
  });

  it('is decided after a first segment of one picture, too, and kept', () => {
    const target = new PartTarget(micros(200_000));
    target.frame(micros(0));
    target.decide();
    expect(target.target).toBe(200_000);
    for (let frame = 1; frame < 10; frame++) target.frame(micros(frame * 40_000));
    target.decide();
    expect(target.target).toBe(200_000);
    expect([target.cutsBefore(160_000), target.cutsBefore(200_000)]).toEqual([false, true]);
  });
});
