import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArrivalLog } from '../receive/arrival-log.js';
import { BandwidthEstimate } from './bandwidth-estimate.js';

/** Sends a packet of 1,000 bytes every 10 ms from a time on; each comes so much later. @returns when it ended */
function send(
  estimate: BandwidthEstimate,
  log: ArrivalLog,
  from: number,
  packets: number,
  delay: (at: number) => number,
) {
  for (let at = 0; at < packets; at++) log.arrived(estimate.sent(1000, from + at * 10), from + at * 10 + delay(at));
  const now = from + packets * 10 + delay(packets);
  for (const feedback of log.take(now)) estimate.feedback(feedback, now);
  return now;
}

describe('BandwidthEstimate', () => {
  it('knows no limit without evidence: neither without feedback, nor with that of a line that is free', () => {
    const [estimate, log] = [new BandwidthEstimate(), new ArrivalLog()];
    for (let at = 0; at < 5000; at++) estimate.sent(1200, at);
    expect([estimate.estimate, estimate.queueDelayMs(60_000)]).toEqual([Number.POSITIVE_INFINITY, 0]);
    const fresh = new BandwidthEstimate();
    for (let round = 0; round < 50; round++) send(fresh, log, round * 100, 10, () => 30);
    expect([fresh.estimate, fresh.queueDelayMs(5030)]).toEqual([Number.POSITIVE_INFINITY, 0]);
  });

  it('measures a queue that grows, and what the line carries meanwhile', () => {
    const [estimate, log] = [new BandwidthEstimate(), new ArrivalLog()];
    for (let round = 0; round < 10; round++) send(estimate, log, round * 100, 10, () => 30);
    // Each packet comes 20 ms after the one before: 400 kbit/s.
    const queueOf = (round: number, at: number) => ((round - 10) * 10 + at) * 10;
    let now = 0;
    for (let round = 10; round < 14; round++) {
      now = send(estimate, log, round * 100, 10, (at) => 30 + queueOf(round, at));
    }
    expect(now).toBe(1830);
    expect(estimate.estimate).toBeGreaterThan(300_000);
    expect(estimate.estimate).toBeLessThan(480_000);
    // The last one, which waited 390 ms, was sent 440 ms ago; with as much again, there is a queue again.
    expect(estimate.queueDelayMs(now)).toBe(0);
    for (let at = 0; at < 10; at++) estimate.sent(1000, now);
    expect(estimate.queueDelayMs(now)).toBeGreaterThan(150);
    expect(estimate.queueDelayMs(now + 100)).toBeGreaterThan(50);
  });

  it('takes packets that nobody has told of for held up, but not for ever', () => {
    const [estimate, log] = [new BandwidthEstimate(), new ArrivalLog()];
    const now = send(estimate, log, 0, 100, () => 30);
    const sendUntil = (from: number, to: number) => {
      for (let at = from; at < to; at += 10) estimate.sent(1000, now + at);
    };
    sendUntil(0, 200);
    expect(estimate.queueDelayMs(now + 200)).toBe(0);
    sendUntil(200, 1000);
    expect(estimate.queueDelayMs(now + 1000)).toBeGreaterThan(500);
    expect(estimate.queueDelayMs(now + 5001)).toBe(0);
  });

  it('bears any feedback', () => {
    const arrivals = fc.array(fc.option(fc.integer({ min: -100_000, max: 100_000 }), { nil: undefined }), {
      maxLength: 60,
    });
    const feedback = fc.record({
      count: fc.nat(255),
      base: fc.oneof(fc.nat(0xffff), fc.nat(50)),
      referenceTime: fc.nat(0xff_ffff),
      arrivals,
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(feedback, fc.nat(300)), { maxLength: 30 }), (rounds) => {
        const estimate = new BandwidthEstimate();
        let now = 0;
        for (const [told, step] of rounds) {
          now += step;
          for (let at = 0; at < 10; at++) estimate.sent(1000, now);
          estimate.feedback(told, now);
          expect(estimate.estimate).toBeGreaterThanOrEqual(50_000);
          expect(estimate.queueDelayMs(now)).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });
});
