import { MediaError } from '@sluice/media';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readFrame } from './frame-protocol.js';

function frame(kind: number, flags: number, time: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt8(kind, 0);
  header.writeUInt8(flags, 1);
  header.writeDoubleBE(time, 4);
  return Buffer.concat([header, payload]);
}

test('what the controller tab sends is read', () => {
  const bytes = Buffer.from([1, 2, 3]);
  expect(readFrame(frame(1, 0, 1.5, Buffer.alloc(0)))).toEqual({ type: 'clock', time: 1.5 });
  expect(readFrame(frame(2, 0, 0, bytes))).toEqual({ type: 'config', record: bytes });
  expect(readFrame(frame(3, 1, 7, bytes))).toEqual({ type: 'picture', time: 7, keyframe: true, data: bytes });
  expect(readFrame(frame(3, 0, 7, bytes))).toMatchObject({ keyframe: false });
  const sound = Buffer.alloc(12);
  sound.writeUInt32BE(48_000);
  sound.writeFloatLE(0.5, 4);
  expect(readFrame(frame(4, 0, 7, sound))).toEqual({
    type: 'sound',
    time: 7,
    sampleRate: 48_000,
    pcm: sound.subarray(4),
  });
  const look = Buffer.alloc(20);
  look.writeFloatBE(127.5, 0);
  look.writeUInt32BE(9, 12);
  look.writeUInt32BE(2, 16);
  expect(readFrame(frame(5, 0, 7, look))).toEqual({
    type: 'look',
    mean: 127.5,
    deviation: 0,
    change: 0,
    captured: 9,
    skipped: 2,
  });
  expect(readFrame(frame(7, 0, 7, Buffer.from('over')))).toEqual({ type: 'ended', reason: 'over' });
});

test.each([
  [Buffer.alloc(11), 'truncated'],
  [frame(3, 0, 0, Buffer.alloc(0)), 'truncated'],
  [frame(2, 0, 0, Buffer.alloc(0)), 'truncated'],
  [frame(4, 0, 0, Buffer.alloc(3)), 'truncated'],
  [frame(4, 0, 0, Buffer.alloc(12)), 'malformed'],
  [frame(4, 0, 0, Buffer.from([0, 0, 0xbb, 0x80, 1])), 'malformed'],
  [frame(5, 0, 0, Buffer.alloc(19)), 'truncated'],
  [frame(5, 0, 0, Buffer.alloc(20, 0xff)), 'malformed'],
  [frame(1, 0, Number.NaN, Buffer.alloc(0)), 'malformed'],
  [frame(1, 0, 1e300, Buffer.alloc(0)), 'malformed'],
  [frame(6, 0, 0, Buffer.alloc(0)), 'unsupported'],
])('refuses what it can not be (%#)', (bytes, code) => {
  expect(() => readFrame(bytes)).toThrow(expect.objectContaining({ code }));
});

test('bears anything', () => {
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 64 }),
    fc
      .tuple(fc.integer({ min: 0, max: 8 }), fc.double(), fc.uint8Array({ maxLength: 64 }))
      .map(([kind, time, payload]) => frame(kind, 0, time, Buffer.from(payload))),
  );
  fc.assert(
    fc.property(anything, (bytes) => {
      try {
        readFrame(Buffer.from(bytes));
      } catch (error) {
        expect(error).toBeInstanceOf(MediaError);
      }
    }),
    { numRuns: 2000 },
  );
});
