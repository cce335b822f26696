import type { Sample } from '@sluice/media';

/** `cc_data_pkt` of CEA-708 §4.3: what it is, and two bytes. */
export type CaptionConstruct = readonly [head: number, high: number, low: number];

/** A construct that is valid. @param type 0 and 1 for the fields of CEA-608, 2 and 3 for CEA-708 */
export const construct = (type: number, high: number, low: number): CaptionConstruct => [0xfc | type, high, low];

const withParity = (byte: number): number => {
  const ones = byte.toString(2).replaceAll('0', '').length;
  return ones % 2 === 0 ? byte | 0x80 : byte;
};

/** Two bytes of CEA-608, which need no parity yet. */
export const cea608 = (high: number, low: number, field: 0 | 1 = 0): CaptionConstruct =>
  construct(field, withParity(high), withParity(low));

/** "HELLO" in pop-on captions of CC1, a construct per picture: at the end it is shown, and taken away. */
export const HELLO: readonly CaptionConstruct[] = [
  cea608(0x14, 0x20),
  cea608(0x14, 0x70),
  cea608(0x48, 0x45),
  cea608(0x4c, 0x4c),
  cea608(0x4f, 0),
  cea608(0x14, 0x2f),
  cea608(0x14, 0x2c),
];

/** A NAL unit of SEI with captions, as ATSC A/53 part 4 §6.2.3 has them. */
export function captionUnit(constructs: readonly CaptionConstruct[], codec: 'h264' | 'hevc' = 'h264'): Buffer {
  const body = [0xb5, 0, 0x31, ...Buffer.from('GA94'), 3, 0xc0 | constructs.length, 0xff, ...constructs.flat(), 0xff];
  const header = codec === 'h264' ? [6] : [39 << 1, 1];
  return Buffer.from([...header, ...escaped([4, body.length, ...body, 0x80])]);
}

/** A picture with captions before all that is in it. */
export function captioned(sample: Sample, constructs: readonly CaptionConstruct[]): Sample {
  const unit = captionUnit(constructs);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(unit.length);
  return { ...sample, data: Buffer.concat([length, unit, sample.data]) };
}

/** With bytes that keep start codes out of it. H.264 §7.4.1 */
function escaped(payload: readonly number[]): number[] {
  const bytes: number[] = [];
  let zeros = 0;
  for (const byte of payload) {
    if (zeros >= 2 && byte <= 3) {
      bytes.push(3);
      zeros = 0;
    }
    bytes.push(byte);
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return bytes;
}
