import {
  packetiseH264,
  type RtcpPacket,
  RtpError,
  readRtcp,
  readRtp,
  type Ssrc,
  writeRtcp,
  writeRtpHeader,
} from '@sluice/rtp';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RtpIngest } from './rtp-ingest.js';

const LEGS = [
  { kind: 'video', codec: 'h264', track: 1, payloadType: 96, retransmissionType: 97, clockRate: 90_000 },
  { kind: 'audio', codec: 'opus', track: 2, payloadType: 111, retransmissionType: undefined, clockRate: 48_000 },
] as const;

/** A picture as packets. */
function packets(sequence: number, timestamp: number, length: number): Buffer[] {
  const unit = Buffer.alloc(4 + length, 0x65);
  unit.writeUInt32BE(length);
  return packetiseH264(unit, 500).map(({ pieces, marker }, at) => {
    const header = Buffer.alloc(12);
    writeRtpHeader(header, { marker, payloadType: 96, sequence: (sequence + at) & 0xffff, timestamp, ssrc: 5 });
    return Buffer.concat([header, ...pieces]);
  });
}

const change = fc.record({ packet: fc.nat(), at: fc.nat(60), value: fc.nat(255) });
const report = (ntpSeconds: number): RtcpPacket => ({
  type: 'sender-report',
  ssrc: 5 as Ssrc,
  ntpSeconds,
  ntpFraction: 0,
  rtpTimestamp: ntpSeconds,
  packets: 1,
  octets: 1,
  reports: [],
});

describe('a publisher over WebRTC that sends anything', () => {
  it('is borne: times go forward, and what is asked of it is bounded', () => {
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 200 }),
        fc.nat(0xffff),
        fc.nat(0xffff_ffff),
        (changes, from, seconds) => {
          const asked: RtcpPacket[] = [];
          const times = new Map<number, number>();
          const ingest = new RtpIngest({
            legs: LEGS,
            ownSsrc: 9 as Ssrc,
            sendRtcp: (packets) => asked.push(...packets),
            onUnreadable: () => {},
            emit: (event) => {
              if (event.type === 'sample') times.set(event.sample.track, event.sample.dts);
            },
          });
          let sequence = from;
          const sent = [0, 1, 2, 3, 4, 5].flatMap((at) => {
            const all = packets(sequence, at * 3000, 700 * at + 50);
            sequence += all.length;
            return all;
          });
          for (const { packet, at, value } of changes) {
            const target = sent[packet % sent.length];
            if (target !== undefined && at < target.length) target[at] = value;
          }
          for (const [at, datagram] of sent.entries()) {
            try {
              ingest.rtp(readRtp(datagram), at * 10);
            } catch (error) {
              expect(error).toBeInstanceOf(RtpError);
            }
            ingest.tick(at * 10);
          }
          ingest.rtcp(readRtcp(writeRtcp([report(seconds)])), 100);
          for (let now = 200; now < 2000; now += 20) ingest.tick(now);
          ingest.end();
          const lost = asked.reduce((sum, packet) => sum + (packet.type === 'nack' ? packet.lost.length : 0), 0);
          expect(lost).toBeLessThan(50_000);
          for (const time of times.values()) expect(Number.isFinite(time)).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });
});
