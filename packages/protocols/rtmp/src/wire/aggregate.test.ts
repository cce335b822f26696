import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RtmpError } from '../errors.js';
import { splitAggregate } from './aggregate.js';

function part(type: number, time: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(11);
  header[0] = type;
  header.writeUIntBE(payload.length, 1, 3);
  header.writeUIntBE(time & 0xff_ffff, 4, 3);
  header[7] = time >>> 24;
  const back = Buffer.alloc(4);
  back.writeUInt32BE(11 + payload.length);
  return Buffer.concat([header, payload, back]);
}

const aggregate = (timestamp: number, ...parts: Buffer[]) => ({
  type: 22,
  messageStreamId: 1,
  timestamp,
  payload: Buffer.concat(parts),
});
const byte = Buffer.from([1]);

describe('splitAggregate', () => {
  test('moves the timestamps to where the aggregate stands', () => {
    const message = aggregate(10_000, part(8, 500, byte), part(9, 520, byte), part(18, 490, byte));
    expect(splitAggregate(message).map(({ type, timestamp }) => [type, timestamp])).toEqual([
      [8, 10_000],
      [9, 10_020],
      [18, 9990],
    ]);
  });

  test('reads the upper byte of a time, and wraps', () => {
    const message = aggregate(0xffff_fff0, part(8, 0x0100_0000, byte), part(8, 0x0100_0020, byte));
    expect(splitAggregate(message).map(({ timestamp }) => timestamp)).toEqual([0xffff_fff0, 0x10]);
  });

  test('leaves out what is empty or no media', () => {
    expect(splitAggregate(aggregate(0, part(8, 0, Buffer.alloc(0)), part(20, 0, byte), part(9, 7, byte)))).toEqual([
      { type: 9, timestamp: 7, payload: byte },
    ]);
  });

  test('does without the last back pointer', () => {
    const message = aggregate(0, part(8, 0, byte));
    expect(splitAggregate({ ...message, payload: message.payload.subarray(0, -4) })).toHaveLength(1);
  });

  test.each([1, 10, 11])('cut off after %i bytes', (length) => {
    const { payload } = aggregate(0, part(8, 0, byte));
    expect(() => splitAggregate({ ...aggregate(0), payload: payload.subarray(0, length) })).toThrow(
      expect.objectContaining({ code: 'malformed' }),
    );
  });

  test('holds no more messages than a cap', () => {
    const bomb = Buffer.concat(Array.from({ length: 5000 }, () => part(8, 0, byte)));
    expect(() => splitAggregate(aggregate(0, bomb))).toThrow(expect.objectContaining({ code: 'too-large' }));
  });

  test('fuzz: any bytes end in messages or an RtmpError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        try {
          splitAggregate(aggregate(0, Buffer.from(bytes)));
        } catch (error) {
          expect(error).toBeInstanceOf(RtmpError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
