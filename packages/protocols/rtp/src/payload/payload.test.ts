import { joinLengthPrefixed } from '@sluice/media';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RtpError } from '../errors.js';
import {
  Av1Depacketiser,
  type Depacketised,
  H264Depacketiser,
  HevcDepacketiser,
  packetiseAv1,
  packetiseH264,
  packetiseHevc,
  packetiseVp8,
  packetiseVp9,
  type RtpPayload,
  Vp8Depacketiser,
  Vp9Depacketiser,
} from './index.js';

interface Picture {
  readonly accessUnit: Buffer;
  readonly keyframe: boolean;
}

interface Format {
  readonly name: string;
  /** The first bytes of a picture tell that it is one's beginning. */
  readonly picture: fc.Arbitrary<Picture>;
  readonly packetise: (picture: Picture, maxBytes: number) => RtpPayload[];
  readonly depacketiser: () => {
    push(payload: Buffer, marker: boolean, timestamp: number): Depacketised[];
    lost(): void;
  };
}

const size = fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 60, max: 4000 }));
const body = fc
  .tuple(size, fc.nat(255))
  .map(([length, seed]) => Buffer.from(Uint8Array.from({ length }, (_, at) => seed + at * 31)));
const bytes = (...values: readonly (number | Buffer)[]): Buffer =>
  Buffer.concat(values.map((value) => (typeof value === 'number' ? Buffer.from([value]) : value)));

/** Slices of which only the first one begins at the picture's first block, and SEI behind them. */
const nalPicture = (slice: (keyframe: boolean) => Buffer, sei: Buffer): fc.Arbitrary<Picture> =>
  fc
    .tuple(fc.boolean(), fc.array(body, { minLength: 1, maxLength: 6 }), fc.boolean())
    .map(([keyframe, bodies, more]) => {
      const slices = bodies.map((rest, at) => bytes(slice(keyframe), at === 0 ? 0x80 : 0x40, rest));
      return { accessUnit: joinLengthPrefixed(more ? [...slices, sei] : slices), keyframe };
    });

const leb = (value: number): Buffer =>
  value < 0x80 ? bytes(value) : bytes(0x80 | (value & 0x7f), leb(Math.floor(value / 0x80)));
/** An OBU with a size field, of a layer. */
const obu = (type: number, payload: Buffer, layer?: number): Buffer =>
  layer === undefined
    ? bytes((type << 3) | 2, leb(payload.length), payload)
    : bytes((type << 3) | 6, layer << 3, leb(payload.length), payload);

const av1Picture = fc
  .tuple(
    fc.boolean(),
    body,
    fc.array(fc.tuple(body, fc.option(fc.constantFrom(0, 1), { nil: undefined })), { maxLength: 7 }),
  )
  .map(([keyframe, header, groups]) => {
    const sequence = keyframe ? [obu(1, Buffer.alloc(11, 7))] : [];
    const frame = obu(3, bytes(keyframe ? 0x10 : 0x30, header));
    const all = [...sequence, frame, ...groups.map(([data, layer]) => obu(4, bytes(1, data), layer))];
    return { accessUnit: Buffer.concat(all), keyframe };
  });

const FORMATS: readonly Format[] = [
  {
    name: 'H.264',
    picture: nalPicture((keyframe) => bytes(keyframe ? 0x65 : 0x41), bytes(0x06, 5, 1, 0x80)),
    packetise: ({ accessUnit }, maxBytes) => packetiseH264(accessUnit, maxBytes),
    depacketiser: () => new H264Depacketiser(),
  },
  {
    name: 'HEVC',
    picture: nalPicture((keyframe) => bytes(keyframe ? 0x26 : 0x02, 0x01), bytes(0x50, 0x01, 5, 1, 0x80)),
    packetise: ({ accessUnit }, maxBytes) => packetiseHevc(accessUnit, maxBytes),
    depacketiser: () => new HevcDepacketiser(),
  },
  {
    name: 'VP8',
    picture: fc.tuple(fc.boolean(), body).map(([keyframe, rest]) => ({
      accessUnit: bytes(keyframe ? 0x10 : 0x11, rest),
      keyframe,
    })),
    packetise: ({ accessUnit }, maxBytes) => packetiseVp8(accessUnit, maxBytes, 0x1_2345),
    depacketiser: () => new Vp8Depacketiser(),
  },
  {
    name: 'VP9',
    picture: fc.tuple(fc.boolean(), body).map(([keyframe, rest]) => ({
      accessUnit: bytes(...(keyframe ? [0x82, 0x49, 0x83, 0x42, Buffer.alloc(8)] : [0x86]), rest),
      keyframe,
    })),
    packetise: ({ accessUnit, keyframe }, maxBytes) =>
      packetiseVp9(accessUnit, maxBytes, { pictureId: 77_777, keyframe }),
    depacketiser: () => new Vp9Depacketiser(),
  },
  {
    name: 'AV1',
    picture: av1Picture,
    packetise: ({ accessUnit, keyframe }, maxBytes) => packetiseAv1(accessUnit, maxBytes, { keyframe }),
    depacketiser: () => new Av1Depacketiser(),
  },
];

const room = fc.oneof(fc.integer({ min: 16, max: 40 }), fc.integer({ min: 40, max: 1400 }));
const joined = ({ pieces }: RtpPayload): Buffer => Buffer.concat(pieces);

describe.each(FORMATS)('$name over RTP', ({ picture, packetise, depacketiser }) => {
  it('brings pictures over at any size, and copies none', () => {
    fc.assert(
      fc.property(picture, room, (sent, maxBytes) => {
        // Memory of its own, so that what is copied is seen.
        const accessUnit = Buffer.from(new Uint8Array(sent.accessUnit).buffer);
        const payloads = packetise({ ...sent, accessUnit }, maxBytes);
        const receiver = depacketiser();
        const got = payloads.flatMap((payload) => {
          expect(joined(payload).length).toBe(payload.length);
          expect(payload.length).toBeLessThanOrEqual(maxBytes);
          const copied = payload.pieces.filter(({ buffer }) => buffer !== accessUnit.buffer);
          for (const piece of copied) expect(piece.length).toBeLessThanOrEqual(4);
          return receiver.push(joined(payload), payload.marker, 3000);
        });
        expect(payloads.filter(({ marker }) => marker)).toEqual(payloads.slice(-1));
        expect(got).toHaveLength(1);
        expect(got[0]?.accessUnit.equals(accessUnit)).toBe(true);
        expect(got[0]).toMatchObject({ timestamp: 3000, keyframe: sent.keyframe, parameterSets: [] });
      }),
    );
  });

  it('gives all pictures that came whole, and no other one', () => {
    const pictures = fc.array(fc.tuple(picture, fc.array(fc.nat(5), { minLength: 1 })), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(pictures, room, fc.boolean(), (sent, maxBytes, withMarkers) => {
        const receiver = depacketiser();
        const got: Depacketised[] = [];
        const whole: [number, string][] = [];
        let isGap = false;
        let wasWhole = false;
        for (const [at, [one, fates]] of sent.entries()) {
          const payloads = packetise(one, maxBytes);
          const isLost = (index: number): boolean => fates[index % fates.length] === 0;
          for (const [index, payload] of payloads.entries()) {
            if (isLost(index)) {
              // Without a marker, what is missing may have been the end of the picture before it.
              if (index === 0 && wasWhole && !withMarkers) whole.pop();
              isGap = true;
              continue;
            }
            if (isGap) receiver.lost();
            isGap = false;
            got.push(...receiver.push(joined(payload), withMarkers && payload.marker, at));
          }
          wasWhole = !payloads.some((_, index) => isLost(index));
          if (wasWhole) whole.push([at, one.accessUnit.toString('hex')]);
        }
        // Ends the last one.
        if (isGap) receiver.lost();
        for (const payload of packetise({ ...sent[0]![0] }, maxBytes))
          got.push(...receiver.push(joined(payload), false, 99));
        expect(got.map(({ timestamp, accessUnit }) => [timestamp, accessUnit.toString('hex')])).toEqual(whole);
      }),
    );
  });

  it('takes no notice of padding', () => {
    fc.assert(
      fc.property(picture, (sent) => {
        const receiver = depacketiser();
        const got = packetise(sent, 200).flatMap((payload) => [
          ...receiver.push(joined(payload), payload.marker, 5),
          ...receiver.push(Buffer.alloc(0), false, 5),
        ]);
        expect(got).toHaveLength(1);
      }),
    );
  });

  it('bears anything', () => {
    const garbage = fc.uint8Array({ maxLength: 60 }).map((some) => Buffer.from(some));
    /** Payloads that are right but for a few bytes, or their end. */
    const damaged = fc
      .tuple(picture, room, fc.array(fc.tuple(fc.nat(20), fc.nat(255)), { maxLength: 3 }), fc.nat(30))
      .map(([one, maxBytes, changes, cut]) =>
        packetise(one, maxBytes).map((payload) => {
          const all = joined(payload);
          for (const [at, value] of changes) if (at < all.length) all[at] = value;
          return all.subarray(0, all.length - (cut > 10 ? 0 : cut));
        }),
      );
    const payloads = fc.oneof(fc.array(garbage), damaged);
    fc.assert(
      fc.property(fc.array(fc.tuple(payloads, fc.boolean(), fc.nat(3)), { maxLength: 4 }), picture, (all, last) => {
        const receiver = depacketiser();
        for (const [some, marker, timestamp] of all) {
          for (const payload of some) {
            try {
              receiver.push(payload, marker, timestamp);
            } catch (error) {
              expect(error).toBeInstanceOf(RtpError);
            }
          }
        }
        // And is of use afterwards: what is under way ends with the first timestamp, and may be malformed as a whole.
        try {
          receiver.push(joined(packetise(last, 1400)[0]!), true, 4);
        } catch (error) {
          expect(error).toBeInstanceOf(RtpError);
        }
        receiver.lost();
        const got = packetise(last, 1400).flatMap((payload) => receiver.push(joined(payload), payload.marker, 5));
        expect(got.at(-1)?.accessUnit.equals(last.accessUnit)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('refuses payloads without room', () => {
    const [one] = fc.sample(picture, 1);
    for (const maxBytes of [0, -1, 15, Number.NaN]) {
      expect(() => packetise(one!, maxBytes)).toThrow(expect.objectContaining({ code: 'unsupported' }));
    }
  });

  it('keeps no more than 16 MiB, and takes the next picture', () => {
    const [one] = fc.sample(picture, 1);
    // The longest first payload that goes on, so that the same one may come again and again.
    const receiver = depacketiser();
    const large = Buffer.alloc(20 * 1024 * 1024, 0xa5);
    const accessUnits: Record<string, Buffer> = {
      'H.264': joinLengthPrefixed([bytes(0x65, large)]),
      HEVC: joinLengthPrefixed([bytes(0x26, 1, large)]),
      AV1: obu(6, large),
    };
    const name = FORMATS.find((format) => format.depacketiser === depacketiser)?.name ?? '';
    const payloads = packetise({ accessUnit: accessUnits[name] ?? bytes(0x86, large), keyframe: false }, 60_000);
    const errors: unknown[] = [];
    for (const payload of payloads) {
      try {
        expect(receiver.push(joined(payload), payload.marker, 0)).toEqual([]);
      } catch (error) {
        errors.push(error);
      }
    }
    // Told of once; the rest of the picture is passed over.
    expect(errors).toEqual([expect.objectContaining({ code: 'malformed' })]);
    expect(packetise(one!, 1400).flatMap((some) => receiver.push(joined(some), some.marker, 1))).toHaveLength(1);
  });
});
