import { BitReader } from '../codecs/bit-reader.js';
import { MediaError } from '../errors.js';
import { type Ticks90k, ticks90k } from '../time.js';

/** `CUEI`, by which SCTE 35 names itself. */
export const CUE_IDENTIFIER = 0x4355_4549;

/** SCTE 35 table 16. */
const DESCRIPTOR_TAG = { avail: 0x00, segmentation: 0x02 } as const;
const HEADER = 2;
/** Type, number, count: what stands at the end of a segmentation descriptor. */
const SUB_SEGMENT_TYPES: ReadonlySet<number> = new Set([0x30, 0x32, 0x34, 0x36, 0x38, 0x3a, 0x44, 0x46]);

/** Identifies content, SCTE 35 §10.3.3.1. */
export interface Upid {
  /** SCTE 35 table 22: 0x08 is a TI, 0x09 an ADI, 0x0F a URI. */
  readonly type: number;
  readonly data: Buffer;
}

/** `segmentation_descriptor()`, SCTE 35 §10.3.3. */
export interface SegmentationDescriptor {
  readonly type: 'segmentation';
  readonly eventId: number;
  /** The event of that id, announced before, is off; the rest says nothing. */
  readonly cancelled: boolean;
  /** 40 bits; undefined where it isn't told. */
  readonly duration: Ticks90k | undefined;
  readonly upid: Upid;
  /** SCTE 35 table 23: what begins or ends. */
  readonly segmentationType: number;
  readonly segmentNum: number;
  readonly segmentsExpected: number;
  readonly subSegmentNum: number | undefined;
  readonly subSegmentsExpected: number | undefined;
  readonly webDeliveryAllowed: boolean;
}

/** A descriptor of a splice information section, SCTE 35 §10. */
export type SpliceDescriptor =
  | { readonly type: 'avail'; readonly providerAvailId: number }
  | SegmentationDescriptor
  /** DTMF, time, audio, and those of others than SCTE 35. */
  | { readonly type: 'other'; readonly tag: number; readonly identifier: number; readonly data: Buffer };

/** @throws {MediaError} `truncated` or `malformed` */
export function readSpliceDescriptors(bytes: Buffer): SpliceDescriptor[] {
  const descriptors: SpliceDescriptor[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + HEADER + (bytes[at + 1] ?? bytes.length);
    if (end > bytes.length) throw new MediaError('truncated', 'a splice descriptor is longer than the loop it is in');
    descriptors.push(readDescriptor(bytes[at] ?? 0, bytes.subarray(at + HEADER, end)));
    at = end;
  }
  return descriptors;
}

function readDescriptor(tag: number, body: Buffer): SpliceDescriptor {
  if (body.length < 4) throw new MediaError('truncated', `a splice descriptor of ${body.length} bytes`);
  const identifier = body.readUInt32BE();
  const data = body.subarray(4);
  if (identifier === CUE_IDENTIFIER && tag === DESCRIPTOR_TAG.segmentation)
    return readSegmentation(new BitReader(data));
  if (identifier === CUE_IDENTIFIER && tag === DESCRIPTOR_TAG.avail) {
    return { type: 'avail', providerAvailId: new BitReader(data).bits(32) };
  }
  return { type: 'other', tag, identifier, data };
}

function readSegmentation(bits: BitReader): SegmentationDescriptor {
  const eventId = bits.bits(32);
  const cancelled = bits.flag();
  bits.skip(7);
  if (cancelled) return { ...NO_SEGMENTATION, eventId, cancelled };
  const isWhole = bits.flag();
  const hasDuration = bits.flag();
  const isUnrestricted = bits.flag();
  const webDeliveryAllowed = bits.flag() || isUnrestricted;
  bits.skip(4);
  if (!isWhole) bits.skip(48 * bits.bits(8));
  const duration = hasDuration ? ticks90k(bits.bits(8) * 2 ** 32 + bits.bits(32)) : undefined;
  const upid = { type: bits.bits(8), data: readBytes(bits, bits.bits(8)) };
  const segmentationType = bits.bits(8);
  const [segmentNum, segmentsExpected] = [bits.bits(8), bits.bits(8)];
  // Older editions don't have these, for the same types.
  const hasSubSegments = SUB_SEGMENT_TYPES.has(segmentationType) && bits.remaining >= 16;
  return {
    type: 'segmentation',
    eventId,
    cancelled,
    duration,
    upid,
    segmentationType,
    segmentNum,
    segmentsExpected,
    subSegmentNum: hasSubSegments ? bits.bits(8) : undefined,
    subSegmentsExpected: hasSubSegments ? bits.bits(8) : undefined,
    webDeliveryAllowed,
  };
}

const NO_SEGMENTATION: SegmentationDescriptor = {
  type: 'segmentation',
  eventId: 0,
  cancelled: false,
  duration: undefined,
  upid: { type: 0, data: Buffer.alloc(0) },
  segmentationType: 0,
  segmentNum: 0,
  segmentsExpected: 0,
  subSegmentNum: undefined,
  subSegmentsExpected: undefined,
  webDeliveryAllowed: true,
};

function readBytes(bits: BitReader, length: number): Buffer {
  if (length * 8 > bits.remaining) throw new MediaError('truncated', `an identifier of ${length} bytes is cut off`);
  return Buffer.from(Array.from({ length }, () => bits.bits(8)));
}
