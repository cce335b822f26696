import { micros } from '@sluice/media';
import { describe, expect, it } from 'vitest';
import { GaplessSound } from './gapless-sound.js';

/** 20 ms of CELT, RFC 6716 §3.1. */
const PACKET = Buffer.from([0xf8, 0xff]);

describe('GaplessSound', () => {
  it('joins what is only imprecise, and leaves gaps where there are some', () => {
    const sound = new GaplessSound();
    const times = [7, 20_900, 39_100, 60_007, 500_000, 520_000, 540_400, 100_000];
    expect(times.map((pts) => sound.place(PACKET, micros(pts)))).toEqual([
      7, 20_007, 40_007, 60_007, 500_000, 520_000, 540_000, 100_000,
    ]);
  });
});
