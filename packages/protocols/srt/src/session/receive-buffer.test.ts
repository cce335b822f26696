import { describe, expect, it } from 'vitest';
import { sequence } from '../wire/sequence.js';
import { micros } from '../wire/timestamp.js';
import { ReceiveBuffer, WINDOW } from './receive-buffer.js';

describe('ReceiveBuffer', () => {
  const bufferWith = (first: number, ...numbers: number[]) => {
    const buffer = new ReceiveBuffer(sequence(first));
    for (const number of numbers) buffer.add(sequence(number), Buffer.from(String(number)), micros(number * 10));
    return buffer;
  };
  const takeAll = (buffer: ReceiveBuffer, now: number): string[] => {
    const taken: string[] = [];
    for (let next = buffer.take(micros(now)); next !== undefined; next = buffer.take(micros(now)))
      taken.push(next.toString());
    return taken;
  };

  it('puts in order what comes in any, and knows the gaps', () => {
    const buffer = bufferWith(5, 7, 5, 9, 10);
    expect(buffer.gaps()).toEqual([
      { first: 6, last: 6 },
      { first: 8, last: 8 },
    ]);
    expect(buffer.gapsIn({ first: sequence(5), last: sequence(8) })).toEqual(buffer.gaps());
    expect(buffer.gapsIn({ first: sequence(9), last: sequence(10) })).toEqual([]);
    expect(buffer.firstMissing).toBe(6);
    expect(buffer.add(sequence(6), Buffer.from('6'), micros(60))).toEqual({ kind: 'filled' });
    expect(buffer.firstMissing).toBe(8);
    expect(takeAll(buffer, 1000)).toEqual(['5', '6', '7']);
    expect(buffer.add(sequence(7), Buffer.alloc(1), micros(0))).toEqual({ kind: 'late' });
    expect(buffer.add(sequence(9), Buffer.alloc(1), micros(0))).toEqual({ kind: 'late' });
    expect(buffer.add(sequence(8 + WINDOW), Buffer.alloc(1), micros(0))).toEqual({ kind: 'beyond' });
  });

  it('passes over a gap when the time of what is behind it has come, and not before', () => {
    const buffer = bufferWith(5, 7, 8);
    expect(buffer.skipTooLate(micros(69))).toBe(0);
    expect(buffer.skipTooLate(micros(70))).toBe(2);
    expect(takeAll(buffer, 75)).toEqual(['7']);
    expect(buffer.firstMissing).toBe(9);
  });

  it('keeps what is here when the sender says that it is given up', () => {
    const buffer = bufferWith(5, 5, 8);
    expect(buffer.drop({ first: sequence(5), last: sequence(5) })).toBe(0);
    expect(takeAll(buffer, 50)).toEqual(['5']);
    expect(buffer.drop({ first: sequence(6), last: sequence(8) })).toBe(2);
    expect(takeAll(buffer, 80)).toEqual(['8']);
    expect(buffer.drop({ first: sequence(9), last: sequence(10) })).toBe(2);
    expect(buffer.firstMissing).toBe(11);
    expect(buffer.drop({ first: sequence(20), last: sequence(30) })).toBe(0);
    expect(buffer.drop({ first: sequence(0), last: sequence(3) })).toBe(0);
    expect(buffer.isEmpty).toBe(true);
  });
});
