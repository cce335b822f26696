import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RtpError } from '../errors.js';
import { readHeaderExtension, writeHeaderExtension } from './header-extension.js';
import { type RtcpPacket, readRtcp, writeRtcp } from './rtcp.js';
import { isRtcp, ONE_BYTE_PROFILE, readRtp, type Ssrc, sequenceDistance16, Unwrapper, writeRtpHeader } from './rtp.js';

const ssrc = (value: number) => value as Ssrc;
const REPORT = {
  ssrc: ssrc(9),
  fractionLost: 12,
  lost: -3,
  highestSequence: 0x1_0005,
  jitter: 90,
  lastSenderReport: 0xabcd_1234,
  delay: 65_536,
};

const PACKETS: RtcpPacket[] = [
  {
    type: 'sender-report',
    ssrc: ssrc(1),
    ntpSeconds: 3_900_000_000,
    ntpFraction: 0x8000_0000,
    rtpTimestamp: 0xffff_fff0,
    packets: 10,
    octets: 12_000,
    reports: [REPORT],
  },
  { type: 'receiver-report', ssrc: ssrc(2), reports: [REPORT, { ...REPORT, lost: 8_388_607 }] },
  { type: 'description', ssrc: ssrc(2), cname: 'somebody@example' },
  { type: 'bye', ssrcs: [ssrc(1), ssrc(2)] },
  { type: 'nack', sender: ssrc(1), media: ssrc(2), lost: [65_530, 65_535, 0, 3, 100] },
  { type: 'pli', sender: ssrc(1), media: ssrc(2) },
  { type: 'fir', sender: ssrc(1), media: ssrc(2), number: 7 },
  {
    type: 'transport-feedback',
    sender: ssrc(1),
    media: ssrc(2),
    count: 255,
    base: 65_534,
    referenceTime: 0xff_fffe,
    arrivals: [3, undefined, 259, 258, 6000],
  },
];

describe('RTP', () => {
  it('reads what it writes, and what others write', () => {
    const target = Buffer.alloc(64);
    const extension = writeHeaderExtension([
      { id: 3, content: Buffer.from('ab') },
      { id: 14, content: Buffer.from([1, 2, 3]) },
    ]);
    const fields = { marker: true, payloadType: 102, sequence: 65_535, timestamp: 0xffff_ffff, ssrc: 0xdead_beef };
    const length = writeRtpHeader(target, { ...fields, extension });
    const packet = readRtp(Buffer.concat([target.subarray(0, length), Buffer.from('media')]));
    expect(packet).toMatchObject({ ...fields, headerBytes: length });
    expect(packet.payload.toString()).toBe('media');
    expect(packet.extension?.profile).toBe(ONE_BYTE_PROFILE);
    expect(readHeaderExtension(packet.extension, 3)?.toString()).toBe('ab');
    expect(readHeaderExtension(packet.extension, 14)).toEqual(Buffer.from([1, 2, 3]));
    expect(readHeaderExtension(packet.extension, 4)).toBeUndefined();
    // Two contributing sources, and three bytes of padding.
    const padded = Buffer.from('a2600001000000020000000300000004000000056d65646961000003', 'hex');
    expect(readRtp(padded)).toMatchObject({ headerBytes: 20, ssrc: 3 });
    expect(readRtp(padded).payload.toString()).toBe('media');
    // Two-byte elements.
    const twoByte = { profile: 0x1000, content: Buffer.from('05026869', 'hex') };
    expect(readHeaderExtension(twoByte, 5)?.toString()).toBe('hi');
  });

  it('reads compound packets as it writes them', () => {
    expect(readRtcp(writeRtcp(PACKETS))).toEqual(PACKETS);
    for (const packet of PACKETS) expect(isRtcp(writeRtcp([packet]))).toBe(true);
    const remb = { type: 'remb', sender: ssrc(1), bitrate: 2_500_000, ssrcs: [ssrc(5)] } as const;
    const [read] = readRtcp(writeRtcp([remb]));
    expect(read?.type === 'remb' && Math.abs(read.bitrate - 2_500_000) < 20).toBe(true);
  });

  it('refuses a packet that is cut off anywhere, and bears anything', () => {
    for (const packet of PACKETS) {
      const whole = writeRtcp([packet]);
      for (let length = 1; length < whole.length; length++) {
        expect(() => readRtcp(whole.subarray(0, length)), `${packet.type} of ${length}`).toThrow(RtpError);
      }
    }
    const bear = (act: () => unknown) => {
      try {
        act();
      } catch (error) {
        expect(error).toBeInstanceOf(RtpError);
      }
    };
    const types = [200, 201, 202, 203, 205, 206];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(...types), fc.nat(31), (bytes, type, count) => {
        bear(() => readRtp(Buffer.from(bytes)));
        bear(() => readRtcp(Buffer.from(bytes)));
        const body = Buffer.from(bytes.subarray(0, bytes.length - (bytes.length % 4)));
        const head = Buffer.from([0x80 | count, type, 0, body.length / 4]);
        bear(() => readRtcp(Buffer.concat([head, body])));
        bear(() => readHeaderExtension({ profile: ONE_BYTE_PROFILE, content: body }, 3));
        bear(() => readHeaderExtension({ profile: 0x1000, content: body }, 3));
      }),
      { numRuns: 5000 },
    );
  });

  it('counts over wraps', () => {
    expect([sequenceDistance16(65_535, 2), sequenceDistance16(2, 65_535)]).toEqual([3, -3]);
    const unwrapper = new Unwrapper(16);
    expect([65_000, 65_535, 3, 65_534, 40_000].map((value) => unwrapper.unwrap(value))).toEqual([
      65_000, 65_535, 65_539, 65_534, 40_000,
    ]);
  });
});
