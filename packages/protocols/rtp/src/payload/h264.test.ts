import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { joinAnnexB, joinLengthPrefixed, splitAnnexB, splitLengthPrefixed } from '@sluice/media';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RtpError } from '../errors.js';
import { readRtp } from '../wire/rtp.js';
import { H264Depacketiser, packetiseH264 } from './h264.js';
import type { Depacketised } from './payload.js';

/** A NAL unit of a type, with bytes that need no emulation prevention. */
const unit = (type: number, length: number): Buffer => {
  const bytes = Buffer.alloc(length, 0xa5);
  bytes[0] = 0x60 | type;
  return bytes;
};
const SETS = [unit(7, 24), unit(8, 6)];

function roundTrip(accessUnit: Buffer, mostBytes: number, sets: readonly Buffer[] = []): Depacketised | undefined {
  const depacketiser = new H264Depacketiser();
  const payloads = packetiseH264(accessUnit, mostBytes, sets);
  expect(payloads.filter(({ marker }) => marker)).toEqual(payloads.slice(-1));
  let got: Depacketised | undefined;
  for (const { pieces, length, marker } of payloads) {
    const payload = Buffer.concat(pieces);
    expect(payload.length).toBe(length);
    expect(length).toBeLessThanOrEqual(mostBytes);
    [got] = depacketiser.push(payload, marker, 3000);
  }
  return got;
}

describe('H.264 over RTP', () => {
  it('brings access units over at any size', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(1, 5, 6), fc.integer({ min: 2, max: 6000 })), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 100, max: 1400 }),
        (shape, mostBytes) => {
          const units = shape.map(([type, length]) => unit(type, length));
          const got = roundTrip(joinLengthPrefixed(units), mostBytes, SETS);
          expect(got?.accessUnit.equals(joinLengthPrefixed(units))).toBe(true);
          expect(got?.keyframe).toBe(shape.some(([type]) => type === 5));
          expect(got?.parameterSets).toEqual(SETS);
        },
      ),
    );
  });

  it('gives no picture that has lost a part, and the next one whole', () => {
    const depacketiser = new H264Depacketiser();
    const payloads = packetiseH264(joinLengthPrefixed([unit(5, 5000)]), 1000);
    for (const [at, { pieces, marker }] of payloads.entries()) {
      if (at === 2) depacketiser.lost();
      else expect(depacketiser.push(Buffer.concat(pieces), marker, 0)).toEqual([]);
    }
    const next = depacketiser.push(unit(1, 50), true, 3000);
    expect(next).toMatchObject([{ accessUnit: joinLengthPrefixed([unit(1, 50)]), timestamp: 3000 }]);
    // Without its marker, a picture ends where the next one begins.
    expect(depacketiser.push(unit(1, 60), false, 6000)).toEqual([]);
    const both = depacketiser.push(unit(1, 70), true, 9000);
    expect(both.map(({ timestamp, accessUnit }) => [timestamp, accessUnit.length])).toEqual([
      [6000, 64],
      [9000, 74],
    ]);
  });

  it('takes what ffmpeg sends, and ffmpeg decodes it', async () => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const got: Depacketised[] = [];
    const depacketiser = new H264Depacketiser();
    socket.on('message', (datagram) => {
      const { payload, marker, timestamp } = readRtp(datagram);
      got.push(...depacketiser.push(payload, marker, timestamp));
    });
    const source = ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=25', '-frames:v', '50'];
    const coding = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-bf', '0'];
    const url = `rtp://127.0.0.1:${socket.address().port}?pkt_size=1200`;
    const sender = spawn('ffmpeg', ['-re', ...source, ...coding, '-f', 'rtp', url], { stdio: 'ignore' });
    await once(sender, 'exit');
    await expect.poll(() => got.length).toBe(50);
    socket.close();
    expect(got.filter(({ keyframe }) => keyframe)).toHaveLength(2);
    // Through our own packetiser, and to a decoder.
    const annexB = got.map(({ accessUnit, parameterSets }) => {
      const again = roundTrip(accessUnit, 900, parameterSets);
      return joinAnnexB([
        ...(again?.parameterSets ?? []),
        ...splitLengthPrefixed(again?.accessUnit ?? Buffer.alloc(0), 4),
      ]);
    });
    expect(splitAnnexB(annexB[0] ?? Buffer.alloc(0)).length).toBeGreaterThan(2);
    const decoder = spawn('ffmpeg', ['-v', 'error', '-f', 'h264', '-i', '-', '-f', 'framemd5', '-'], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let [text, errors] = ['', ''];
    decoder.stdout.on('data', (bytes: Buffer) => (text += bytes.toString()));
    decoder.stderr.on('data', (bytes: Buffer) => (errors += bytes.toString()));
    decoder.stdin.end(Buffer.concat(annexB));
    await once(decoder, 'close');
    expect(errors).toBe('');
    expect(text.split('\n').filter((line) => /^\d/.test(line))).toHaveLength(50);
  });

  it('bears anything', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.uint8Array({ maxLength: 40 }), fc.boolean(), fc.nat(3))), (payloads) => {
        const depacketiser = new H264Depacketiser();
        for (const [payload, marker, timestamp] of payloads) {
          try {
            depacketiser.push(Buffer.from(payload), marker, timestamp);
          } catch (error) {
            expect(error).toBeInstanceOf(RtpError);
          }
        }
      }),
      { numRuns: 3000 },
    );
  });
});
