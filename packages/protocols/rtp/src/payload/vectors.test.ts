import { joinLengthPrefixed, splitLengthPrefixed } from '@sluice/media';
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
  packetiseOpus,
  packetiseVp8,
  packetiseVp9,
  type RtpPayload,
  Vp8Depacketiser,
  Vp9Depacketiser,
} from './index.js';

const bytes = (...values: readonly (number | Buffer)[]): Buffer =>
  Buffer.concat(values.map((value) => (typeof value === 'number' ? Buffer.from([value]) : value)));
/** An OBU with a size field, of a layer. */
const obu = (type: number, payload: Buffer, layer?: number): Buffer =>
  layer === undefined
    ? bytes((type << 3) | 2, payload.length, payload)
    : bytes((type << 3) | 6, layer << 3, payload.length, payload);
const joined = ({ pieces }: RtpPayload): Buffer => Buffer.concat(pieces);

/** Pushes payloads as hex, the last one with a marker, and gives what came of it. */
function take(depacketiser: Pick<H264Depacketiser, 'push'>, ...payloads: readonly string[]): Depacketised[] {
  return payloads.flatMap((hex, at) =>
    depacketiser.push(Buffer.from(hex.replaceAll(' ', ''), 'hex'), at === payloads.length - 1, 9),
  );
}

describe('H.264 payloads', () => {
  it('without a slice are no picture', () => {
    expect(take(new H264Depacketiser(), '06050180')).toEqual([]);
  });

  it('are those of the RFC', () => {
    const units = [bytes(0x67, 1, 2), bytes(0x68, 3), bytes(0x06, 4), bytes(0x65, Buffer.alloc(29, 9))];
    const delimiters = [bytes(0x09, 0xf0), bytes(0x0c, 0xff)];
    const [sps, pps, ...rest] = units;
    const payloads = packetiseH264(joinLengthPrefixed([...delimiters, ...rest]), 16, [sps!, pps!]);
    // STAP-A with the importance of its most important unit, then FU-A: 29 bytes in three parts.
    expect(payloads.map((payload) => joined(payload).toString('hex'))).toEqual([
      '78 0003 670102 0002 6803 0002 0604'.replaceAll(' ', ''),
      `7c85${'09'.repeat(10)}`,
      `7c05${'09'.repeat(10)}`,
      `7c45${'09'.repeat(9)}`,
    ]);
  });

  it('may be parameter sets alone, for the picture behind them', () => {
    const receiver = new H264Depacketiser();
    expect(take(receiver, '670102')).toEqual([]);
    expect(take(receiver, '6803')).toEqual([]);
    const [got] = take(receiver, '6588');
    expect(got?.parameterSets.map((set) => set.toString('hex'))).toEqual(['670102', '6803']);
    expect(take(receiver, '4188')[0]?.parameterSets).toEqual([]);
    // Newer ones take their place.
    for (const old of ['670102', '6803']) expect(take(receiver, old)).toEqual([]);
    const [next] = take(receiver, '670104', '6588');
    expect(next?.parameterSets.map((set) => set.toString('hex'))).toEqual(['6803', '670104']);
  });

  it('of interleaved modes are refused, and so is what lies', () => {
    for (const type of [25, 26, 27, 29]) {
      const refused = () => new H264Depacketiser().push(bytes(type, 1, 2, 3, 4), true, 0);
      expect(refused).toThrow(expect.objectContaining({ code: 'unsupported' }));
    }
    for (const hex of ['00', '1e00', '78 00', '78 0003 6701', '7c']) {
      expect(() => take(new H264Depacketiser(), hex)).toThrow(expect.objectContaining({ code: 'malformed' }));
    }
  });

  it('give the picture before one that is malformed', () => {
    const receiver = new H264Depacketiser();
    expect(receiver.push(bytes(0x41, 0x80), false, 0)).toEqual([]);
    expect(() => receiver.push(bytes(0x1e), false, 1)).toThrow(RtpError);
    expect(receiver.push(bytes(0x41, 0x80, 1), true, 2).map(({ timestamp }) => timestamp)).toEqual([0, 2]);
  });
});

describe('HEVC payloads', () => {
  it('are those of the RFC', () => {
    const sets = [bytes(0x40, 1, 1), bytes(0x42, 1, 2), bytes(0x44, 1, 3)];
    const slice = bytes(0x2a, 0x02, Buffer.alloc(26, 9));
    const payloads = packetiseHevc(joinLengthPrefixed([bytes(0x46, 1, 0x50), slice]), 20, sets);
    // AP, then FU of type 21 and temporal layer 1: 26 bytes in two parts.
    expect(payloads.map((payload) => joined(payload).toString('hex'))).toEqual([
      '6001 0003 400101 0003 420102 0003 440103'.replaceAll(' ', ''),
      `620295${'09'.repeat(13)}`,
      `620255${'09'.repeat(13)}`,
    ]);
    const receiver = new HevcDepacketiser();
    const [got] = payloads.flatMap((payload) => receiver.push(joined(payload), payload.marker, 0));
    expect(got).toMatchObject({ keyframe: true, parameterSets: sets });
    expect(splitLengthPrefixed(got?.accessUnit ?? Buffer.alloc(0), 4)).toEqual([slice]);
    expect(() => take(receiver, '640100')).toThrow(expect.objectContaining({ code: 'unsupported' }));
    for (const hex of ['60', '6001 0001 40', '6201', '7e0100']) {
      expect(() => take(receiver, hex)).toThrow(expect.objectContaining({ code: 'malformed' }));
    }
  });
});

describe('VP8 payloads', () => {
  it('have descriptors of any length', () => {
    const [first] = packetiseVp8(bytes(0x10, 2), 100, 0x8123);
    expect(joined(first!).toString('hex')).toBe('9080 8123 1002'.replaceAll(' ', ''));
    // None, a short picture ID, a long one with TL0PICIDX and TID; then partition 1, and its rest.
    for (const descriptor of ['10', '9080 05', '90e0 8001 07 40', '9030 22']) {
      const [got] = take(new Vp8Depacketiser(), `${descriptor} 10aa`, '11 bb', '01 cc');
      expect(got).toMatchObject({ accessUnit: Buffer.from('10aabbcc', 'hex'), keyframe: true });
    }
    for (const hex of ['10', '9080', '9080 8001', '90f0 8001 07']) {
      expect(() => take(new Vp8Depacketiser(), hex)).toThrow(expect.objectContaining({ code: 'malformed' }));
    }
  });
});

describe('VP9 payloads', () => {
  it('have descriptors of any length', () => {
    const packetised = packetiseVp9(Buffer.alloc(30, 0x86), 18, { pictureId: 0x8123, keyframe: false });
    expect(packetised.map((payload) => joined(payload).toString('hex', 0, 3))).toEqual(['c88123', 'c48123']);
    const descriptors = [
      '0c', // one payload, nothing else
      'bc 05 40', // flexible, not predicted: picture ID, layer indices
      'fc 8005 40 0302', // flexible: long picture ID, layer indices, two references
      'ac 05 40 09', // layer indices and TL0PICIDX
      '0e 18 02800168 02 0401 0c010203', // structure: size, two pictures with one and three references
    ];
    for (const descriptor of descriptors) {
      const [got] = take(new Vp9Depacketiser(), `${descriptor} 86aa`);
      expect(got?.accessUnit.toString('hex')).toBe('86aa');
    }
    expect(() => take(new Vp9Depacketiser(), 'ac 05 42 09 86aa')).toThrow(
      expect.objectContaining({ code: 'unsupported' }),
    );
    for (const hex of ['0c', '8c 80', '5c 01010100 86', '0e f8 00', '0c 00']) {
      expect(() => take(new Vp9Depacketiser(), hex)).toThrow(expect.objectContaining({ code: 'malformed' }));
    }
  });
});

describe('AV1 payloads', () => {
  it('are those of the specification', () => {
    const unit = bytes(obu(2, Buffer.alloc(0)), obu(1, bytes(7, 7)), obu(6, bytes(0x10, Buffer.alloc(20, 9))));
    const payloads = packetiseAv1(unit, 16, { keyframe: true });
    expect(payloads.map((payload) => joined(payload).toString('hex'))).toEqual([
      // Y, two elements, N; the sequence header behind its length, and 11 bytes of the frame.
      `68 03 080707 30 10${'09'.repeat(9)}`.replaceAll(' ', ''),
      // Z, one element
      `90${'09'.repeat(11)}`,
    ]);
  });

  it('may have lengths everywhere, size fields, and what is to be ignored', () => {
    const frame = obu(6, bytes(0x10, 1, 2));
    for (const payload of [
      '08 02 1200 02 0807 04 30100102', // W is 0; a temporal delimiter
      '28 02 0807 30100102',
      '28 03 0a0107 3203100102', // size fields
      '38 02 0807 03 4001 02 30100102', // a tile list
    ]) {
      const [got] = take(new Av1Depacketiser(), payload);
      expect(got?.accessUnit.toString('hex')).toBe(bytes(obu(1, bytes(7)), frame).toString('hex'));
      expect(got?.keyframe).toBe(true);
    }
    for (const hex of ['00', '00 05 30', '20 02 3010', '10 b0', '00 00', '10 3205aa', '00 ffffffffffffffffff']) {
      expect(() => take(new Av1Depacketiser(), hex)).toThrow(expect.objectContaining({ code: 'malformed' }));
    }
  });

  it('hold OBUs of one layer each', () => {
    const groups = [obu(4, bytes(1), 0), obu(4, bytes(2), 0), obu(4, bytes(3), 1)];
    expect(packetiseAv1(bytes(obu(3, bytes(0x30)), ...groups), 100, { keyframe: false })).toHaveLength(2);
  });
});

describe('Opus payloads', () => {
  it('are the packets themselves', () => {
    const packet = Buffer.alloc(300, 1);
    expect(packetiseOpus(packet, 1200)).toEqual([{ pieces: [packet], length: 300, marker: false }]);
    expect(packetiseOpus(packet, 1200)[0]?.pieces[0]).toBe(packet);
  });
});
