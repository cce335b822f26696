import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Persistent } from './persistent.js';

describe('Persistent', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  it('tries again with growing pauses, and soon after it went well', async () => {
    const pauses: [string, number][] = [];
    let tries = 0;
    const persistent = new Persistent({
      attempt: async () => {
        tries += 1;
        if (tries === 8) await new Promise((done) => setTimeout(done, 60_000));
        if (tries % 2 === 0) return 'it ended';
        throw new Error('no answer');
      },
      onPause: (reason, delayMs) => pauses.push([reason, delayMs]),
      random: () => 0.5,
    });
    await vi.advanceTimersByTimeAsync(200_000);
    await persistent.stop();
    const delays = pauses.map(([, delay]) => delay);
    expect(delays.slice(0, 9)).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 1000, 1000]);
    expect(pauses.slice(0, 2).map(([reason]) => reason)).toEqual(['no answer', 'it ended']);
    const before = tries;
    await vi.advanceTimersByTimeAsync(200_000);
    expect(tries).toBe(before);
  });

  it('ends what is under way', async () => {
    let ended = false;
    const persistent = new Persistent({
      attempt: (signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            ended = true;
            resolve('stopped');
          });
        }),
      onPause: () => expect.unreachable(),
      random: () => 0,
    });
    await persistent.stop();
    expect(ended).toBe(true);
  });
});
