import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameReader, framed } from './tcp-framing.js';

describe('datagrams over TCP', () => {
  it('come out as they went in, however they are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 2000 }), { maxLength: 20 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 700 })),
        (datagrams, cuts) => {
          const bytes = Buffer.concat(datagrams.map((datagram) => framed([Buffer.from(datagram)])));
          const reader = new FrameReader();
          const got: Buffer[] = [];
          for (let at = 0; at < bytes.length; ) {
            const size = cuts.next().value ?? 1;
            got.push(...reader.push(bytes.subarray(at, at + size)));
            at += size;
          }
          expect(got).toEqual(datagrams.map((datagram) => Buffer.from(datagram)));
        },
      ),
    );
  });

  it('are refused where they are longer than any can be', () => {
    expect(() => new FrameReader().push(Buffer.from([0xff, 0xff, 0]))).toThrow('a frame of 65535 bytes');
  });
});
