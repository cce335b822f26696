import { MediaError } from '../errors.js';
import type { TrackId, VideoTrackConfig } from '../track-config.js';
import { BitReader } from './bit-reader.js';

/** OBU types, AV1 §6.2.2. */
export const AV1_OBU = { sequenceHeader: 1, temporalDelimiter: 2, padding: 15 } as const;

/** One open bitstream unit. */
export interface Obu {
  readonly type: number;
  /** Header, size and payload. */
  readonly bytes: Buffer;
  readonly payload: Buffer;
}

/** Values of a sequence header that matter outside a decoder. AV1 §5.5. */
export interface Av1SequenceHeader {
  readonly profile: number;
  readonly levelIdx: number;
  readonly tier: number;
  readonly width: number;
  readonly height: number;
  readonly bitDepth: number;
  readonly monochrome: boolean;
  readonly subsamplingX: number;
  readonly subsamplingY: number;
  readonly chromaSamplePosition: number;
}

/** AV1CodecConfigurationRecord, AV1-ISOBMFF §2.3. */
export interface Av1DecoderConfiguration {
  readonly sequenceHeader: Av1SequenceHeader;
  readonly configObus: Buffer;
}

const PROFILE_NAMES = ['Main', 'High', 'Professional'] as const;
const RECORD_HEADER = 4;
/** A leb128 value has 8 bytes at most, AV1 §4.10.5. */
const MAX_LEB128 = 8;
const SELECT_SCREEN_CONTENT_TOOLS = 2;

/** The OBUs of a temporal unit in the low-overhead format. AV1 §5.3. */
export function splitObus(bytes: Buffer): Obu[] {
  const obus: Obu[] = [];
  let position = 0;
  while (position < bytes.length) {
    const header = bytes[position] ?? 0;
    if ((header & 0x80) !== 0) throw new MediaError('malformed', 'an OBU with its forbidden bit set');
    let payloadAt = position + ((header & 0x04) === 0 ? 1 : 2);
    let length = bytes.length - payloadAt;
    if ((header & 0x02) !== 0) {
      const size = readLeb128(bytes, payloadAt);
      payloadAt += size.length;
      length = size.value;
    }
    if (length < 0 || payloadAt + length > bytes.length) {
      throw new MediaError('truncated', `an OBU of ${length} bytes in ${bytes.length - payloadAt} that are left`);
    }
    const end = payloadAt + length;
    obus.push({
      type: (header >> 3) & 0xf,
      bytes: bytes.subarray(position, end),
      payload: bytes.subarray(payloadAt, end),
    });
    position = end;
  }
  return obus;
}

function readLeb128(bytes: Buffer, offset: number): { value: number; length: number } {
  let value = 0;
  for (let index = 0; index < MAX_LEB128; index++) {
    const byte = bytes[offset + index];
    if (byte === undefined) throw new MediaError('truncated', 'an OBU size is cut off');
    value += (byte & 0x7f) * 2 ** (7 * index);
    if ((byte & 0x80) === 0) return { value, length: index + 1 };
  }
  throw new MediaError('malformed', 'an OBU size of more than 8 bytes');
}

/** A temporal unit as samples hold it: without temporal delimiters. AV1-ISOBMFF §2.4. */
export function stripTemporalDelimiters(bytes: Buffer): Buffer {
  const obus = splitObus(bytes);
  const kept = obus.filter((obu) => obu.type !== AV1_OBU.temporalDelimiter);
  return kept.length === obus.length ? bytes : Buffer.concat(kept.map((obu) => obu.bytes));
}

/** @param payload of a sequence header OBU. AV1 §5.5.1 */
export function parseAv1SequenceHeader(payload: Buffer): Av1SequenceHeader {
  const reader = new BitReader(payload);
  const profile = reader.bits(3);
  if (profile > 2) throw new MediaError('unsupported', `AV1 profile ${profile}`);
  reader.skip(1); // still_picture
  const reduced = reader.flag();
  const { levelIdx, tier } = reduced ? { levelIdx: reader.bits(5), tier: 0 } : readOperatingPoints(reader);
  const widthBits = reader.bits(4) + 1;
  const heightBits = reader.bits(4) + 1;
  const width = reader.bits(widthBits) + 1;
  const height = reader.bits(heightBits) + 1;
  if (!reduced && reader.flag()) reader.skip(7); // frame ids
  reader.skip(3); // 128x128 superblocks, filter intra, intra edge filter
  if (!reduced) skipToolFlags(reader);
  reader.skip(3); // superres, cdef, restoration
  return { profile, levelIdx, tier, width, height, ...readColor(reader, profile) };
}

function readOperatingPoints(reader: BitReader): { levelIdx: number; tier: number } {
  let decoderModel: number | undefined;
  if (reader.flag()) {
    reader.skip(64);
    if (reader.flag()) reader.ue();
    if (reader.flag()) {
      decoderModel = reader.bits(5) + 1;
      reader.skip(32 + 5 + 5);
    }
  }
  const displayDelay = reader.flag();
  const points = reader.bits(5) + 1;
  let first = { levelIdx: 0, tier: 0 };
  for (let point = 0; point < points; point++) {
    reader.skip(12);
    const levelIdx = reader.bits(5);
    const tier = levelIdx > 7 ? reader.bits(1) : 0;
    if (point === 0) first = { levelIdx, tier };
    if (decoderModel !== undefined && reader.flag()) {
      reader.skip(decoderModel);
      reader.skip(decoderModel);
      reader.skip(1);
    }
    if (displayDelay && reader.flag()) reader.skip(4);
  }
  return first;
}

function skipToolFlags(reader: BitReader): void {
  reader.skip(4); // interintra, masked compound, warped motion, dual filter
  const orderHint = reader.flag();
  if (orderHint) reader.skip(2);
  const screenContent = reader.flag() ? SELECT_SCREEN_CONTENT_TOOLS : reader.bits(1);
  if (screenContent > 0 && !reader.flag()) reader.skip(1);
  if (orderHint) reader.skip(3);
}

/** AV1 §5.5.2. */
function readColor(reader: BitReader, profile: number) {
  const high = reader.flag();
  const bitDepth = profile === 2 && high ? (reader.flag() ? 12 : 10) : high ? 10 : 8;
  const monochrome = profile !== 1 && reader.flag();
  const described = reader.flag() ? [reader.bits(8), reader.bits(8), reader.bits(8)] : [2, 2, 2];
  if (monochrome) return { bitDepth, monochrome, subsamplingX: 1, subsamplingY: 1, chromaSamplePosition: 0 };
  const [primaries, transfer, matrix] = described;
  if (primaries === 1 && transfer === 13 && matrix === 0) {
    return { bitDepth, monochrome, subsamplingX: 0, subsamplingY: 0, chromaSamplePosition: 0 };
  }
  reader.skip(1); // color_range
  let subsamplingX = profile === 1 ? 0 : 1;
  let subsamplingY = profile === 0 ? 1 : 0;
  if (profile === 2 && bitDepth === 12) {
    subsamplingX = reader.bits(1);
    subsamplingY = subsamplingX === 1 ? reader.bits(1) : 0;
  }
  const chromaSamplePosition = subsamplingX === 1 && subsamplingY === 1 ? reader.bits(2) : 0;
  return { bitDepth, monochrome, subsamplingX, subsamplingY, chromaSamplePosition };
}

/** @throws {MediaError} also where the record holds no sequence header, which browsers need */
export function parseAv1C(description: Buffer): Av1DecoderConfiguration {
  if (description.length < RECORD_HEADER) throw new MediaError('truncated', `an av1C of ${description.length} bytes`);
  if (description[0] !== 0x81)
    throw new MediaError('malformed', `av1C marker and version 0x${description[0]?.toString(16)}`);
  const configObus = description.subarray(RECORD_HEADER);
  const header = splitObus(configObus).find((obu) => obu.type === AV1_OBU.sequenceHeader);
  if (header === undefined) throw new MediaError('malformed', 'an av1C without a sequence header');
  return { sequenceHeader: parseAv1SequenceHeader(header.payload), configObus };
}

/** @param sequenceHeader the OBU with header and size */
export function buildAv1C(sequenceHeader: Buffer): Buffer {
  const [obu] = splitObus(sequenceHeader);
  if (obu?.type !== AV1_OBU.sequenceHeader) throw new MediaError('malformed', 'an av1C needs a sequence header OBU');
  const values = parseAv1SequenceHeader(obu.payload);
  const flags =
    (values.tier << 7) |
    (values.bitDepth > 8 ? 0x40 : 0) |
    (values.bitDepth === 12 ? 0x20 : 0) |
    (values.monochrome ? 0x10 : 0) |
    (values.subsamplingX << 3) |
    (values.subsamplingY << 2) |
    values.chromaSamplePosition;
  return Buffer.concat([Buffer.from([0x81, (values.profile << 5) | values.levelIdx, flags, 0]), sequenceHeader]);
}

/** @throws {MediaError} where the record can't be read */
export function av1TrackConfig(track: TrackId, av1C: Buffer): VideoTrackConfig {
  const { sequenceHeader: values } = parseAv1C(av1C);
  const two = (value: number) => String(value).padStart(2, '0');
  return {
    kind: 'video',
    track,
    codec: 'av1',
    codecString: `av01.${values.profile}.${two(values.levelIdx)}${values.tier === 1 ? 'H' : 'M'}.${two(values.bitDepth)}`,
    description: av1C,
    width: values.width,
    height: values.height,
    profile: PROFILE_NAMES[values.profile] ?? `profile ${values.profile}`,
    level: `${2 + (values.levelIdx >> 2)}.${values.levelIdx & 3}`,
  };
}
