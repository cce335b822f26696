import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RtpPacket, Ssrc } from '../wire/rtp.js';
import { JitterBuffer } from './jitter-buffer.js';
import { Reception } from './reception.js';

const packet = (sequence: number, timestamp = sequence * 3000): RtpPacket => ({
  marker: false,
  payloadType: 96,
  sequence: sequence & 0xffff,
  timestamp,
  ssrc: 5 as Ssrc,
  extension: undefined,
  headerBytes: 12,
  payload: Buffer.alloc(1),
});

function drain(buffer: JitterBuffer, now: number): (number | string)[] {
  const out: (number | string)[] = [];
  for (let next = buffer.take(now); next !== undefined; next = buffer.take(now)) {
    out.push(next.kind === 'packet' ? next.packet.sequence : `lost ${next.count}`);
  }
  return out;
}

describe('JitterBuffer', () => {
  it('puts packets in order over the wrap of their numbers', () => {
    const buffer = new JitterBuffer(200);
    for (const sequence of [65_533, 65_535, 0, 65_534, 2, 1]) buffer.push(packet(sequence), 0);
    expect(drain(buffer, 0)).toEqual([65_533, 65_534, 65_535, 0, 1, 2]);
    expect(buffer.push(packet(65_534), 0)).toBe(false);
  });

  it('asks for what is missing, a few times, and then gives it up', () => {
    const buffer = new JitterBuffer(200);
    for (const sequence of [10, 13]) buffer.push(packet(sequence), 0);
    expect(drain(buffer, 0)).toEqual([10]);
    expect(buffer.toAskFor(5)).toEqual([]);
    expect(buffer.toAskFor(10)).toEqual([11, 12]);
    expect(buffer.toAskFor(20)).toEqual([]);
    buffer.push(packet(12), 30);
    expect(buffer.toAskFor(60)).toEqual([11]);
    expect(drain(buffer, 199)).toEqual([]);
    expect(drain(buffer, 200)).toEqual(['lost 1', 12, 13]);
    expect(buffer.push(packet(11), 210)).toBe(false);
  });

  it('begins anew after a leap', () => {
    const buffer = new JitterBuffer(200);
    buffer.push(packet(10), 0);
    expect(drain(buffer, 0)).toEqual([10]);
    buffer.push(packet(30_000), 0);
    expect(drain(buffer, 0)).toEqual([30_000]);
  });

  it('gives out each packet once and in order, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 400 }), (sequences) => {
        const buffer = new JitterBuffer(50);
        const out: number[] = [];
        for (const [at, sequence] of sequences.entries()) {
          buffer.push(packet(sequence), at);
          out.push(...drain(buffer, at).filter((value) => typeof value === 'number'));
        }
        expect(out).toEqual([...new Set(out)].sort((a, b) => a - b));
      }),
    );
  });
});

describe('Reception', () => {
  it('tells what was lost, lately and in all', () => {
    const reception = new Reception(90_000);
    expect(reception.report(0)).toBeUndefined();
    for (let at = 0; at < 100; at++) if (at % 4 !== 3) reception.packet(packet(65_500 + at, at * 3600), at * 40);
    reception.senderReport({ ntpSeconds: 0x1234_5678, ntpFraction: 0x9abc_def0 }, 3000);
    expect(reception.report(4000)).toMatchObject({
      ssrc: 5,
      lost: 24,
      fractionLost: Math.floor((24 * 256) / 99),
      highestSequence: 65_598,
      lastSenderReport: 0x5678_9abc,
      delay: 65_536,
    });
    expect(reception.report(5000)).toMatchObject({ fractionLost: 0, lost: 24 });
  });
});
