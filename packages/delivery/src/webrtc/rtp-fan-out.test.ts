import { micros, millis } from '@sluice/media';
import { describe, expect, it } from 'vitest';
import { RtpFanOut } from './rtp-fan-out.js';
import type { RtpConsumer, RtpSample } from './rtp-output.js';

const sampleOf = (at: number): RtpSample => ({
  kind: 'video',
  codec: 'h264',
  keyframe: at === 0,
  disposable: false,
  pts: micros(at),
  payloads: [],
});

/** Viewers of which each takes so many ms for a sample. */
function fanOutOf(viewers: number, cost: number) {
  let time = 0;
  const fanOut = new RtpFanOut(() => millis(time));
  const got: number[][] = [];
  const consumers = Array.from({ length: viewers }, (_, viewer): RtpConsumer => {
    const mine: number[] = [];
    got.push(mine);
    return {
      codecs: () => undefined,
      ended: () => undefined,
      still: () => undefined,
      sample: ({ pts }) => {
        time += cost;
        mine.push(pts);
        if (pts === 100 + viewer) fanOut.remove(consumers[viewer + 1] as RtpConsumer);
      },
    };
  });
  for (const consumer of consumers) fanOut.add(consumer);
  const turn = () => new Promise(setImmediate);
  return { fanOut, got, consumers, turn };
}

describe('RtpFanOut', () => {
  it('gives at once what takes no time', () => {
    const { fanOut, got } = fanOutOf(100, 0.01);
    for (let at = 0; at < 3; at++) fanOut.push(sampleOf(at));
    expect(new Set(got.map(String))).toEqual(new Set(['0,1,2']));
  });

  it('goes on in later turns with what takes long, in the order of the samples', async () => {
    const { fanOut, got, turn } = fanOutOf(20, 1);
    for (let at = 0; at < 3; at++) fanOut.push(sampleOf(at));
    expect(got.filter(({ length }) => length > 0)).toHaveLength(5);
    await turn();
    expect(got.filter(({ length }) => length > 0)).toHaveLength(10);
    for (let turns = 0; turns < 12; turns++) await turn();
    expect(new Set(got.map(String))).toEqual(new Set(['0,1,2']));
  });

  it('leaves out who goes meanwhile, and everything once it is cleared', async () => {
    const { fanOut, got, turn } = fanOutOf(12, 1);
    fanOut.push(sampleOf(104));
    await turn();
    await turn();
    expect(got.map(({ length }) => length)).toEqual([1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1]);
    fanOut.push(sampleOf(1));
    fanOut.clear();
    await turn();
    expect(got.flat().filter((pts) => pts === 1)).toHaveLength(5);
  });

  it('lets no more than a few pictures wait', () => {
    const { fanOut, got } = fanOutOf(20, 1);
    for (let at = 0; at < 100; at++) fanOut.push(sampleOf(at));
    expect(Math.min(...got.map(({ length }) => length))).toBeGreaterThan(30);
  });
});
