import { describe, expect, it } from 'vitest';
import { clockOffset } from './server-clock.js';

const DATE = 'Sat, 21 Nov 2026 10:00:00 GMT';
const TOLD = Date.parse(DATE);

describe('clockOffset', () => {
  it('believes a clock that is clearly another', () => {
    expect(clockOffset(DATE, TOLD - 60_000, TOLD - 59_800)).toBe(60_400);
    expect(clockOffset(DATE, TOLD + 60_000, TOLD + 60_200)).toBe(-59_600);
  });

  it('takes what whole seconds and the way can explain for no difference', () => {
    expect(clockOffset(DATE, TOLD, TOLD + 200)).toBe(0);
    expect(clockOffset(DATE, TOLD + 900, TOLD + 1400)).toBe(0);
  });

  it.each([[null], [''], ['yesterday']])('tells nothing from %j', (header) => {
    expect(clockOffset(header, 0, 0)).toBe(0);
  });
});
