import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RtpError } from '../errors.js';
import { fitsDelta, MOST_STATUSES, readTransportFeedback, writeTransportFeedback } from './transport-feedback.js';

describe('transport feedback', () => {
  it('reads all kinds of chunks, as others write them', () => {
    // Packets 5 to 32: two received, a vector of one bit, a vector of two bits, five missing, padding.
    const content = Buffer.from(
      ['0005001c', '000010', '07', '2002', 'a001', 'c900', '0005', '0401', '0a', '02', 'fffc', '03', '0000'].join(''),
      'hex',
    );
    const { base, referenceTime, count, arrivals } = readTransportFeedback(content);
    expect([base, referenceTime, count]).toEqual([5, 16, 7]);
    expect(arrivals).toHaveLength(28);
    expect(arrivals.slice(0, 2)).toEqual([4, 5]);
    expect(arrivals[2]).toBe(15);
    expect(arrivals[15]).toBe(17);
    expect(arrivals.slice(16, 19)).toEqual([undefined, 13, 16]);
    expect(arrivals.slice(19).every((arrival) => arrival === undefined)).toBe(true);
  });

  it('reads what it writes', () => {
    const delta = fc.oneof(fc.integer({ min: -0x8000, max: 0x7fff }), fc.nat(255));
    const status = fc.oneof(fc.constant(undefined), delta);
    const run = fc.tuple(status, fc.integer({ min: 1, max: 40 })).map(([value, length]) => Array(length).fill(value));
    const statuses = fc.oneof(
      fc.array(status, { maxLength: 100 }),
      fc.array(run, { maxLength: 8 }).map((all) => all.flat()),
    );
    const heads = fc.record({ count: fc.nat(0xff), base: fc.nat(0xffff), referenceTime: fc.nat(0xff_ffff) });
    fc.assert(
      fc.property(heads, statuses, (head, deltas: (number | undefined)[]) => {
        let ticks = 0;
        const arrivals = deltas.map((value) => {
          if (value === undefined) return undefined;
          ticks += value;
          return ticks;
        });
        const written = writeTransportFeedback({ ...head, arrivals });
        expect(written.length % 4).toBe(0);
        expect(readTransportFeedback(written)).toEqual({ ...head, arrivals });
      }),
      { numRuns: 2000 },
    );
  });

  it('takes two bytes for many that came evenly, or not at all', () => {
    const head = { count: 0, base: 0, referenceTime: 0 };
    const missing = Array.from({ length: 8000 }, () => undefined);
    expect(writeTransportFeedback({ ...head, arrivals: [...missing, 3] })).toHaveLength(16);
    expect(writeTransportFeedback({ ...head, arrivals: Array.from({ length: 100 }, (_, at) => at) })).toHaveLength(112);
  });

  it('trusts no count, and says what can not be written', () => {
    const refused = [
      '000500',
      '0005ffff00000000',
      '0005000100000000',
      '000500010000000000000000',
      '0005000100000000e001',
    ];
    for (const hex of [...refused, '00050001000000006001', '00050001000000002001', '00050002000000002002ff']) {
      expect(() => readTransportFeedback(Buffer.from(hex, 'hex')), hex).toThrow(RtpError);
    }
    const head = { count: 0, base: 0, referenceTime: 0 };
    expect(fitsDelta(40_000)).toBe(false);
    expect(() => writeTransportFeedback({ ...head, arrivals: [40_000] })).toThrow('40000 ticks');
    const many = Array.from({ length: MOST_STATUSES + 1 }, () => undefined);
    expect(() => writeTransportFeedback({ ...head, arrivals: many })).toThrow(`${MOST_STATUSES}`);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        try {
          expect(readTransportFeedback(Buffer.from(bytes)).arrivals.length).toBeLessThanOrEqual(MOST_STATUSES);
        } catch (error) {
          expect(error).toBeInstanceOf(RtpError);
        }
      }),
      { numRuns: 3000 },
    );
  });
});
