import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  readTransportFeedback,
  TICK_MS,
  type TransportFeedback,
  writeTransportFeedback,
} from '../wire/transport-feedback.js';
import { ArrivalLog } from './arrival-log.js';

/** Number → ms of arrival; undefined for what is told of as missing. */
function toldBy(packets: readonly TransportFeedback[]): Map<number, number | undefined> {
  const told = new Map<number, number | undefined>();
  for (const packet of packets) {
    const { base, referenceTime, arrivals } = readTransportFeedback(writeTransportFeedback(packet));
    for (const [index, ticks] of arrivals.entries()) {
      const at = ticks === undefined ? undefined : referenceTime * 64 + ticks * TICK_MS;
      told.set((base + index) & 0xffff, at);
    }
  }
  return told;
}

describe('ArrivalLog', () => {
  it('tells when each packet came, and which did not, every 100 ms', () => {
    const log = new ArrivalLog();
    expect(log.isDue(0)).toBe(false);
    expect(log.take(0)).toEqual([]);
    for (const [sequence, at] of [
      [65_534, 1000.5],
      [0, 1020],
      [65_535, 1021],
      [2, 1030.25],
    ] as const) {
      log.arrived(sequence, at);
    }
    expect(log.isDue(1031)).toBe(true);
    expect([...toldBy(log.take(1031))]).toEqual([
      [65_534, 1000.5],
      [65_535, 1021],
      [0, 1020],
      [1, undefined],
      [2, 1030.25],
    ]);
    expect(log.isDue(2000)).toBe(false);
    log.arrived(3, 1050);
    expect([log.isDue(1130), log.isDue(1131)]).toEqual([false, true]);
    // One that comes late is told of again, with what is behind it.
    log.arrived(1, 1140);
    expect([...toldBy(log.take(1140))]).toEqual([
      [1, 1140],
      [2, 1030.25],
      [3, 1050],
    ]);
    for (let at = 0; at < 100; at++) log.arrived(4 + at, 1141);
    expect(log.isDue(1142)).toBe(true);
  });

  it('splits what does not fit into one packet, and numbers them', () => {
    const log = new ArrivalLog();
    log.arrived(1, 0);
    log.arrived(2, 20_000);
    for (let at = 0; at < 900; at++) log.arrived(3 + at, 20_001);
    const packets = log.take(20_002);
    expect(packets.map(({ count, base, arrivals }) => [count, base, arrivals.length])).toEqual([
      [0, 1, 1],
      [1, 2, 400],
      [2, 402, 400],
      [3, 802, 101],
    ]);
    expect(toldBy(packets).get(2)).toBe(20_000);
  });

  it('stays bounded and writes what can be read, whatever comes', () => {
    const arrival = fc.tuple(fc.nat(0xffff), fc.integer({ min: 0, max: 100_000 }), fc.boolean());
    const near = fc.tuple(fc.nat(300), fc.integer({ min: 0, max: 500 }), fc.boolean());
    fc.assert(
      fc.property(fc.array(fc.oneof(arrival, near), { maxLength: 200 }), (arrivals) => {
        const log = new ArrivalLog();
        for (const [sequence, at, asks] of arrivals) {
          log.arrived(sequence, at);
          if (asks) expect(toldBy(log.take(at)).size).toBeLessThanOrEqual(2048);
        }
        expect(toldBy(log.take(100_000)).size).toBeLessThanOrEqual(2048);
      }),
    );
  });
});
