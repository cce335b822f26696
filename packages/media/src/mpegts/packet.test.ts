import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ContinuityWatch } from './continuity.js';
import { ContinuityCounter, packetize, pcrPacket, TS_PACKET_SIZE } from './packet.js';
import { parsePacketHeader } from './packet-header.js';
import { PacketReader } from './packet-reader.js';

const packetsOf = (bytes: Buffer): Buffer[] =>
  Array.from({ length: bytes.length / TS_PACKET_SIZE }, (_, i) =>
    bytes.subarray(i * TS_PACKET_SIZE, (i + 1) * TS_PACKET_SIZE),
  );
const payloadsOf = (packets: readonly Buffer[]) => packets.map((p) => p.subarray(parsePacketHeader(p).payloadAt));

describe('packets', () => {
  it('carry any payload in whole packets and tell their flags once', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 600 }),
        fc.integer({ min: 0x10, max: 0x1ffe }),
        fc.option(fc.nat(2 ** 33 - 1), { nil: undefined }),
        fc.boolean(),
        (payload, pid, pcr, randomAccess) => {
          const bytes = packetize(pid, new ContinuityCounter(), Buffer.from(payload), { pcr, randomAccess });
          expect(bytes.length % TS_PACKET_SIZE).toBe(0);
          const packets = packetsOf(bytes);
          expect(Buffer.concat(payloadsOf(packets))).toEqual(Buffer.from(payload));
          packets.forEach((packet, index) => {
            expect(packet[0]).toBe(0x47);
            expect(parsePacketHeader(packet)).toMatchObject({
              pid,
              unitStart: index === 0,
              continuity: index & 0xf,
              pcr: index === 0 ? pcr : undefined,
              scrambled: false,
              transportError: false,
              discontinuity: false,
            });
          });
          const flags = (packets[0]![3]! & 0x20) === 0 || packets[0]![4] === 0 ? 0 : packets[0]![5]!;
          expect((flags & 0x40) !== 0).toBe(randomAccess);
        },
      ),
    );
  });

  it.each([182, 183, 184, 185, 366, 367, 368, 369])('stuff a payload of %i bytes exactly', (size) => {
    const payload = Buffer.alloc(size, 0xab);
    const packets = packetsOf(packetize(0x100, new ContinuityCounter(), payload, { randomAccess: false }));
    expect(packets.length).toBe(Math.ceil(size / 184));
    expect(Buffer.concat(payloadsOf(packets))).toEqual(payload);
    for (const packet of packets) {
      const { payloadAt } = parsePacketHeader(packet);
      // Stuffing is 0xff behind the length and the flags. ISO 13818-1 §2.4.3.5
      if (payloadAt > 6) expect(packet.subarray(6, payloadAt).every((byte) => byte === 0xff)).toBe(true);
    }
  });

  it('that carry a clock alone have no payload and keep the number', () => {
    const counter = new ContinuityCounter();
    packetize(0x100, counter, Buffer.alloc(10), { randomAccess: false });
    const header = parsePacketHeader(pcrPacket(0x100, counter, 2 ** 33 - 1, true));
    expect(header).toMatchObject({ pcr: 2 ** 33 - 1, continuity: 0, payloadAt: TS_PACKET_SIZE, discontinuity: true });
    const next = packetize(0x100, counter, Buffer.alloc(10), { randomAccess: false });
    expect(parsePacketHeader(next).continuity).toBe(1);
  });

  it('with an adaptation field that claims more than they have carry no payload', () => {
    const packet = Buffer.alloc(TS_PACKET_SIZE, 0);
    packet.set([0x47, 0x01, 0x00, 0x30, 0xff, 0x00]);
    expect(parsePacketHeader(packet).payloadAt).toBe(TS_PACKET_SIZE);
  });
});

describe('the continuity counter', () => {
  const payload = Buffer.from('one');
  const other = Buffer.from('two');

  it('goes on modulo 16', () => {
    const watch = new ContinuityWatch();
    for (let i = 5; i < 40; i++) expect(watch.check(i & 0xf, payload)).toBe('next');
    expect(watch.check(9, payload)).toBe('gap');
    expect(watch.check(10, payload)).toBe('next');
  });

  it('tells a packet that came twice from 15 that are lost', () => {
    const watch = new ContinuityWatch();
    expect(watch.check(3, payload)).toBe('next');
    expect(watch.check(3, Buffer.from('one'))).toBe('duplicate');
    expect(watch.check(3, other)).toBe('gap');
    expect(watch.check(4, payload)).toBe('next');
  });
});

describe('PacketReader', () => {
  const counter = new ContinuityCounter();
  const stream = packetize(0x100, counter, Buffer.alloc(184 * 20, 0x47), { randomAccess: false });
  const read = (chunks: readonly Buffer[]) => {
    const reader = new PacketReader();
    const packets = [...chunks.flatMap((chunk) => reader.push(chunk)), ...reader.flush()];
    return { packets, reader };
  };

  it('gives the same packets wherever the bytes are cut', () => {
    for (let size = 1; size <= 400; size++) {
      const chunks: Buffer[] = [];
      for (let at = 0; at < stream.length; at += size) chunks.push(stream.subarray(at, at + size));
      expect(Buffer.concat(read(chunks).packets).equals(stream)).toBe(true);
    }
  });

  it('begins behind garbage, and finds the next packet behind more of it', () => {
    const garbage = Buffer.alloc(100, 0x47);
    const head = stream.subarray(0, 188 * 10);
    const tail = packetize(0x100, new ContinuityCounter(), Buffer.alloc(184 * 10, 0), { randomAccess: false });
    const { packets, reader } = read([Buffer.alloc(333, 1), head, garbage, tail]);
    expect(reader.resyncs).toBe(1);
    expect(packets.length).toBeGreaterThanOrEqual(19);
    expect(Buffer.concat(packets.slice(-9)).equals(tail.subarray(188))).toBe(true);
  });

  it('believes a sync byte only where others follow', () => {
    const garbage = Buffer.alloc(700, 1);
    for (const at of [100, 288, 500]) garbage[at] = 0x47;
    const { packets, reader } = read([garbage, stream]);
    expect(Buffer.concat(packets).equals(stream)).toBe(true);
    expect(reader.skippedBytes).toBe(700);
  });

  it('holds next to nothing of what is no transport stream, and counts it', () => {
    const { packets, reader } = read(Array.from({ length: 100 }, () => Buffer.alloc(1000, 0x11)));
    expect(packets).toEqual([]);
    expect(reader.skippedBytes).toBe(100_000);
  });

  it('gives the last packets of a stream that is shorter than what it takes to be sure', () => {
    expect(read([stream.subarray(0, 188 * 2)]).packets.length).toBe(2);
  });
});
