import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MediaError } from '../errors.js';
import { crc32Mpeg } from '../mpegts/crc32.js';
import { moveSpliceTimes, parseSpliceInfo, spliceTimeOf } from './splice-info.js';

/** The sample messages of SCTE 35 §14, by their numbers. */
const SAMPLES = {
  '14.1': '/DA0AAAAAAAA///wBQb+cr0AUAAeAhxDVUVJSAAAjn/PAAGlmbAICAAAAAAsoKGKNAIAmsnRfg==',
  '14.2': '/DAvAAAAAAAA///wFAVIAACPf+/+c2nALv4AUsz1AAAAAAAKAAhDVUVJAAABNWLbowo=',
  '14.3': '/DAvAAAAAAAA///wBQb+dGKQoAAZAhdDVUVJSAAAjn+fCAgAAAAALKChijUCAKnMZ1g=',
  '14.4': '/DBIAAAAAAAA///wBQb+ek2ItgAyAhdDVUVJSAAAGH+fCAgAAAAALMvDRBEAAAIXQ1VFSUgAABl/nwgIAAAAACyk26AQAACZcuND',
} as const;
const sample = (number: keyof typeof SAMPLES): Buffer => Buffer.from(SAMPLES[number], 'base64');

/** A section around a command and descriptors, with a right length and checksum. */
function section(
  commandType: number,
  command: readonly number[],
  options: { descriptors?: Buffer; commandLength?: number; encrypted?: boolean; version?: number } = {},
): Buffer {
  const { descriptors = Buffer.alloc(0), commandLength = command.length, encrypted = false, version = 0 } = options;
  const fields = [
    version,
    encrypted ? 0x80 : 0,
    0,
    0,
    0,
    0,
    0,
    0xff,
    0xf0 | (commandLength >> 8),
    commandLength & 0xff,
  ];
  const loop = [descriptors.length >> 8, descriptors.length & 0xff];
  const body = Buffer.from([...fields, commandType, ...command, ...loop, ...descriptors, 0, 0, 0, 0]);
  const bytes = Buffer.concat([Buffer.from([0xfc, 0x30 | (body.length >> 8), body.length & 0xff]), body]);
  bytes.writeUInt32BE(crc32Mpeg(bytes.subarray(0, -4)), bytes.length - 4);
  return bytes;
}

describe('parseSpliceInfo', () => {
  it('reads a placement opportunity that begins, §14.1', () => {
    const info = parseSpliceInfo(sample('14.1'));
    expect(info).toMatchObject({ ptsAdjustment: 0, tier: 0xfff, command: { type: 'time-signal', time: 0x72bd0050 } });
    expect(info.descriptors).toEqual([
      {
        type: 'segmentation',
        eventId: 0x4800008e,
        cancelled: false,
        duration: 0x01a599b0,
        upid: { type: 8, data: Buffer.from('000000002ca0a18a', 'hex') },
        segmentationType: 0x34,
        segmentNum: 2,
        segmentsExpected: 0,
        subSegmentNum: undefined,
        subSegmentsExpected: undefined,
        webDeliveryAllowed: false,
      },
    ]);
  });

  it('reads a splice out of the network with the length of its break, §14.2', () => {
    const info = parseSpliceInfo(sample('14.2'));
    expect(info.command).toEqual({
      type: 'splice-insert',
      eventId: 0x4800008f,
      cancelled: false,
      outOfNetwork: true,
      immediate: false,
      time: 0x7369c02e,
      breakDuration: { autoReturn: true, duration: 0x0052ccf5 },
      uniqueProgramId: 0,
      availNum: 0,
      availsExpected: 0,
    });
    expect(info.descriptors).toEqual([{ type: 'avail', providerAvailId: 0x135 }]);
  });

  it('reads what ends, and several descriptors of one section, §14.3 and §14.4', () => {
    const types = (number: keyof typeof SAMPLES) =>
      parseSpliceInfo(sample(number)).descriptors.map((each) => each.type === 'segmentation' && each.segmentationType);
    expect(types('14.3')).toEqual([0x35]);
    expect(types('14.4')).toEqual([0x11, 0x10]);
  });

  it('reads a command whose length is not told', () => {
    const avail = Buffer.from([0, 8, ...Buffer.from('CUEI'), 0, 0, 0, 7]);
    const timeSignal = section(6, [0xfe, 0, 0, 0, 9], { commandLength: 0xfff, descriptors: avail });
    expect(parseSpliceInfo(timeSignal)).toMatchObject({
      command: { type: 'time-signal', time: 9 },
      descriptors: [{ type: 'avail', providerAvailId: 7 }],
    });
    expect(() => parseSpliceInfo(section(0xff, [0, 0, 0, 0], { commandLength: 0xfff }))).toThrow(/without its length/);
  });

  it('reads components, immediate splices, cancellations and sub-segments', () => {
    const components = [0, 0, 0, 1, 0x7f, 0x8f, 2, 1, 0x7f, 2, 0xff, 0, 0, 0, 5, 0, 3, 1, 2];
    expect(parseSpliceInfo(section(5, components)).command).toMatchObject({
      outOfNetwork: true,
      time: 0x1_0000_0005,
      uniqueProgramId: 3,
      availNum: 1,
      availsExpected: 2,
    });
    const immediate = parseSpliceInfo(section(5, [0, 0, 0, 1, 0x7f, 0x5f, 0, 3, 0, 0])).command;
    expect(immediate).toMatchObject({ outOfNetwork: false, immediate: true, time: undefined });
    expect(parseSpliceInfo(section(5, [0, 0, 0, 1, 0xff])).command).toMatchObject({ eventId: 1, cancelled: true });
    const upid = Buffer.from('urn:x');
    const fields = [0, 0, 0, 9, 0x7f, 0x3f, 1, 7, 0xfe, 0, 0, 0, 1, 0x0f, upid.length, ...upid, 0x30, 1, 2, 3, 4];
    const descriptors = Buffer.from([2, 4 + fields.length, ...Buffer.from('CUEI'), ...fields]);
    expect(parseSpliceInfo(section(6, [0x7f], { descriptors })).descriptors).toEqual([
      expect.objectContaining({
        upid: { type: 15, data: upid },
        segmentationType: 0x30,
        subSegmentNum: 3,
        subSegmentsExpected: 4,
      }),
    ]);
  });

  it('says of the rest what it is', () => {
    expect(parseSpliceInfo(section(0, [])).command).toEqual({ type: 'splice-null' });
    expect(parseSpliceInfo(section(0xff, [1, 2, 3, 4])).command).toEqual({ type: 'other', commandType: 0xff });
    expect(parseSpliceInfo(section(5, [9, 9, 9], { encrypted: true })).command).toEqual({ type: 'encrypted' });
    expect(() => parseSpliceInfo(section(0, [], { version: 1 }))).toThrow(MediaError);
  });

  it.each([
    ['cut off', sample('14.1').subarray(0, 30), 'malformed'],
    ['too short', sample('14.1').subarray(0, 10), 'truncated'],
    ['another table', Buffer.concat([Buffer.from([0]), sample('14.1').subarray(1)]), 'malformed'],
    ['a bit flipped', Buffer.from(sample('14.1').map((byte, at) => (at === 20 ? byte ^ 1 : byte))), 'malformed'],
    ['a command that goes on too long', section(6, [0xfe, 0, 0, 0, 9], { commandLength: 200 }), 'truncated'],
    ['a descriptor that goes on too long', section(6, [0x7f], { descriptors: Buffer.from([2, 99, 0]) }), 'truncated'],
    [
      'a descriptor with no room for its name',
      section(6, [0x7f], { descriptors: Buffer.from([2, 1, 0]) }),
      'truncated',
    ],
  ])('refuses one that is %s', (_what, bytes, code) => {
    expect(() => parseSpliceInfo(bytes)).toThrow(expect.objectContaining({ name: 'MediaError', code }));
  });

  it('bears anything', () => {
    const anyCommand = fc.tuple(fc.constantFrom(0, 4, 5, 6, 7, 0xff), fc.array(fc.nat(255), { maxLength: 60 }));
    const options = fc.record({
      descriptors: fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes)),
      commandLength: fc.oneof(fc.nat(80), fc.constant(0xfff)),
      encrypted: fc.boolean(),
    });
    fc.assert(
      fc.property(anyCommand, options, ([type, command], rest) => {
        try {
          parseSpliceInfo(section(type, command, rest));
        } catch (error) {
          expect(error).toBeInstanceOf(MediaError);
        }
      }),
      { numRuns: 3000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(() => parseSpliceInfo(Buffer.from(bytes))).toThrow(MediaError);
      }),
    );
  });
});

describe('the time of a splice', () => {
  it('is the command’s with the adjustment, modulo 33 bits', () => {
    expect(spliceTimeOf(parseSpliceInfo(sample('14.2')))).toBe(0x7369c02e);
    const moved = moveSpliceTimes(sample('14.2'), 2 ** 33 - 0x7369c02e + 5);
    expect(spliceTimeOf(parseSpliceInfo(moved))).toBe(5);
    expect(spliceTimeOf(parseSpliceInfo(section(5, [0, 0, 0, 1, 0x7f, 0x5f, 0, 3, 0, 0])))).toBeUndefined();
  });

  it('moves there and back, whatever the distance', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 34), max: 2 ** 34 }), (by) => {
        const there = moveSpliceTimes(sample('14.1'), by);
        expect(parseSpliceInfo(there).descriptors).toEqual(parseSpliceInfo(sample('14.1')).descriptors);
        expect(moveSpliceTimes(there, -by)).toEqual(sample('14.1'));
      }),
    );
  });
});
