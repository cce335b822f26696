import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MediaError } from '../errors.js';
import { encodePes } from './pes.js';
import { PesAssembler, type PesPacket } from './pes-reader.js';

const LIMIT = 200_000;
const ticks = fc.nat(2 ** 33 - 1);
const codeOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    if (error instanceof MediaError) return error.code;
    throw error;
  }
  return 'nothing thrown';
};
const readIn = (bytes: Buffer, size: number): PesPacket | undefined => {
  const assembler = new PesAssembler(LIMIT);
  let packet = assembler.start(bytes.subarray(0, size));
  for (let at = size; at < bytes.length; at += size) packet = assembler.append(bytes.subarray(at, at + size)) ?? packet;
  return packet ?? assembler.flush();
};

describe('PES packets', () => {
  it('are read as they were written, at any time of the clock', () => {
    fc.assert(
      fc.property(ticks, ticks, fc.uint8Array({ maxLength: 500 }), fc.boolean(), (pts, dts, data, unbounded) => {
        const bytes = encodePes(0xe0, { pts, dts }, [Buffer.from(data)], { unbounded });
        expect(readIn(bytes, 184)).toEqual({ pts, dts, data: Buffer.from(data) });
      }),
    );
  });

  it('write their times as the standard has them', () => {
    const bytes = encodePes(0xe0, { pts: 2 ** 33 - 1, dts: 0 }, [Buffer.from([9])], { unbounded: false });
    expect(bytes.toString('hex')).toBe('000001e0000e84c00a3fffffffff110001000109');
  });

  it('are put together wherever they are cut', () => {
    const bytes = encodePes(0xc0, { pts: 1234, dts: 1234 }, [Buffer.from('some sound')], { unbounded: false });
    for (let size = 1; size <= bytes.length; size++) {
      expect(readIn(bytes, size)).toEqual({ pts: 1234, dts: 1234, data: Buffer.from('some sound') });
    }
  });

  it('with a length are complete with their last byte, and what follows is no part of them', () => {
    const bytes = encodePes(0xc0, { pts: 1, dts: 1 }, [Buffer.from('sound')], { unbounded: false });
    const assembler = new PesAssembler(LIMIT);
    expect(assembler.start(bytes.subarray(0, bytes.length - 1))).toBeUndefined();
    expect(assembler.append(Buffer.from('d and stuffing'))?.data.toString()).toBe('sound');
    expect(assembler.append(Buffer.from('more'))).toBeUndefined();
    expect(assembler.flush()).toBeUndefined();
  });

  it('without a length end where the next one begins', () => {
    const bytes = encodePes(0xe0, { pts: 1, dts: 1 }, [Buffer.alloc(100_000, 7)], { unbounded: true });
    const assembler = new PesAssembler(LIMIT);
    expect(assembler.start(bytes)).toBeUndefined();
    expect(assembler.flush()?.data.length).toBe(100_000);
  });

  it('of more than 64 KiB have no length', () => {
    const bytes = encodePes(0xe0, { pts: 1, dts: 1 }, [Buffer.alloc(70_000)], { unbounded: false });
    expect(bytes.readUInt16BE(4)).toBe(0);
  });

  it('that are cut short, too long or none at all are refused', () => {
    const bytes = encodePes(0xc0, { pts: 1, dts: 1 }, [Buffer.alloc(300)], { unbounded: false });
    const assembler = new PesAssembler(LIMIT);
    assembler.start(bytes.subarray(0, 200));
    expect(codeOf(() => assembler.flush())).toBe('truncated');
    expect(assembler.flush()).toBeUndefined();
    expect(codeOf(() => assembler.start(Buffer.from('no packet')))).toBe('malformed');
    assembler.start(encodePes(0xe0, { pts: 1, dts: 1 }, [], { unbounded: true }));
    const grow = () => {
      for (let i = 0; i < 10_000; i++) assembler.append(Buffer.alloc(184));
    };
    expect(codeOf(grow)).toBe('too-large');
    expect(assembler.append(Buffer.alloc(184))).toBeUndefined();
  });

  it('without times or without media say so', () => {
    const untimed = Buffer.from('000001e00005800000aabb', 'hex');
    expect(readIn(untimed, 188)).toEqual({ pts: undefined, dts: undefined, data: Buffer.from('aabb', 'hex') });
    const padding = Buffer.from('000001be0004ffffffff', 'hex');
    expect(new PesAssembler(LIMIT).start(padding)).toBeUndefined();
    const timesBeyondHeader = Buffer.from('000001e0000580c000aabb', 'hex');
    expect(readIn(timesBeyondHeader, 188)?.pts).toBeUndefined();
  });

  it('throw nothing but MediaError', () => {
    const valid = encodePes(0xe0, { pts: 5, dts: 4 }, [Buffer.alloc(20)], { unbounded: false });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 6 }), (mutations) => {
        const bytes = Buffer.from(valid);
        for (const [at, value] of mutations) bytes[at] = value;
        codeOf(() => readIn(bytes, 7));
      }),
    );
  });
});
