import { MediaError } from '@sluice/media';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packMessage, packMessages, unpackMessage } from './message.js';

const bytes = fc.uint8Array({ maxLength: 200 }).map((data) => Buffer.from(data));

describe('messages of a stream', () => {
  it('hold all bytes in order, and are no longer than NATS takes', () => {
    fc.assert(
      fc.property(fc.array(bytes), fc.nat(2 ** 50), fc.integer({ min: 9, max: 120 }), (pieces, first, most) => {
        const messages = packMessages(pieces, first, most);
        for (const message of messages) expect(message.length).toBeLessThanOrEqual(most);
        const read = messages.map(unpackMessage);
        expect(read.map(({ number }) => number)).toEqual(read.map((_, at) => first + at));
        expect(Buffer.concat(read.map((message) => message.bytes))).toEqual(Buffer.concat(pieces));
        for (const { length } of read.map((message) => message.bytes)) expect(length).toBeGreaterThan(0);
      }),
    );
  });

  it('may say nothing but which number comes next', () => {
    expect(unpackMessage(packMessage({ number: 7, bytes: Buffer.alloc(0) }))).toEqual({
      number: 7,
      bytes: Buffer.alloc(0),
    });
    expect(() => unpackMessage(Buffer.alloc(7))).toThrow(MediaError);
  });
});
