import { aacTrackConfig, h264TrackConfig, MediaError, micros, millis, type Sample } from '@sluice/media';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NumberedFrame, WireFrame } from '../frame.js';
import { FrameReader } from './frame-reader.js';
import { packFrame } from './pack-frame.js';

const AVCC = '014d401effe10018674d401eecc05017fcb808800000030080000019078b16cd01000568e97b2c80';
const TRACKS = [h264TrackConfig(0, Buffer.from(AVCC, 'hex')), aacTrackConfig(1, Buffer.from('1190', 'hex'))];

const bytes = fc.uint8Array({ maxLength: 300 }).map((data) => Buffer.from(data));
const time = fc.double({ noNaN: true, noDefaultInfinity: true }).map(micros);
const sample: fc.Arbitrary<Sample> = fc.record({
  track: fc.nat(0xffff_ffff),
  kind: fc.constantFrom('video', 'audio'),
  dts: time,
  pts: time,
  keyframe: fc.boolean(),
  data: bytes,
});
const metadata = fc.dictionary(
  fc.string({ maxLength: 20 }).filter((key) => key !== '__proto__'),
  fc.oneof(fc.string(), fc.double({ noNaN: true }), fc.boolean(), fc.constant(null)),
  { noNullPrototype: true },
);
const tracks = fc.subarray(TRACKS);
const frame: fc.Arbitrary<WireFrame> = fc.oneof(
  sample.map((of) => ({ type: 'sample', sample: of }) as const),
  fc.record({ type: fc.constant('description'), description: fc.record({ tracks, metadata }) }),
  fc.record({ type: fc.constant('config'), config: fc.constantFrom(...TRACKS) }),
  fc.record({ type: fc.constant('metadata'), metadata }),
  fc.record({ type: fc.constant('timed-metadata'), kind: fc.constantFrom('id3', 'scte35'), at: time, data: bytes }),
  fc.record({ type: fc.constant('wall-origin'), at: time.map(millis) }),
  fc.record({ type: fc.constant('discontinuity') }),
  fc.record({ type: fc.constant('end'), reason: fc.string({ unit: 'grapheme' }) }),
  fc.record({ type: fc.constant('end-of-track'), track: fc.nat(0xffff_ffff) }),
  fc.record({ type: fc.constant('message'), data: bytes }),
);
const numbered: fc.Arbitrary<NumberedFrame> = fc.record({ stream: fc.nat(0xffff_ffff), frame });

const pack = (frames: readonly NumberedFrame[]) =>
  Buffer.concat(frames.flatMap((each) => packFrame(each.stream, each.frame)));

describe('frames on the wire', () => {
  it('come back as they were, however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(numbered, { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 70 })), (frames, cuts) => {
        const reader = new FrameReader();
        const all = pack(frames);
        const read: NumberedFrame[] = [];
        let at = 0;
        for (const cut of [...cuts, all.length]) {
          read.push(...reader.push(all.subarray(at, at + cut)));
          at += cut;
        }
        expect(read).toEqual(frames);
      }),
    );
  });

  it('share the bytes of samples, and lose nothing of odd numbers', () => {
    const data = Buffer.from('picture');
    const odd: Sample = { track: 7, kind: 'video', dts: micros(Number.NaN), pts: micros(-0.5), keyframe: true, data };
    const pieces = packFrame(3, { type: 'sample', sample: odd });
    expect(pieces.at(-1)).toBe(data);
    expect(new FrameReader().push(Buffer.concat(pieces))).toEqual([
      { stream: 3, frame: { type: 'sample', sample: odd } },
    ]);
  });

  it('are read or refused with the reason, whatever comes', () => {
    const spoiled = fc.tuple(
      fc.array(numbered, { minLength: 1, maxLength: 4 }),
      fc.array(fc.tuple(fc.nat(), fc.nat(255))),
    );
    fc.assert(
      fc.property(spoiled, ([frames, spots]) => {
        const all = pack(frames);
        for (const [at, value] of spots) all[at % all.length] = value;
        try {
          new FrameReader().push(all);
        } catch (error) {
          if (!(error instanceof MediaError)) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });

  it('are bounded, and passed over where they are of a later version', () => {
    const reader = () => new FrameReader({ maxFrameBytes: 100 });
    expect(() => reader().push(Buffer.from('00000065000000010a', 'hex'))).toThrow(/101 bytes; 100 are allowed/);
    expect(() => reader().push(Buffer.from('00000004000000010a', 'hex'))).toThrow(/says that it has 4 bytes/);
    expect(reader().push(Buffer.from('0000000600000001ff00', 'hex'))).toEqual([]);
    expect(() => reader().push(Buffer.from('0000000600000001017f', 'hex'))).toThrow(/sample has 1 bytes/);
    const config = '{"kind":"video","track":0,"codec":"theora","codecString":"","description":"","width":1,"height":1}';
    const packed = packFrame(1, { type: 'message', data: Buffer.from(config) });
    packed[0]?.writeUInt8(7, 8);
    expect(() => new FrameReader().push(Buffer.concat(packed))).toThrow(
      /track configuration can't be read[\s\S]*codec/,
    );
  });
});
