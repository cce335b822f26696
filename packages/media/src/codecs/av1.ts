import { MediaError } from '../errors.js';
import type { TrackId, VideoTrackConfig } from '../track-config.js';
import { AV1_OBU, splitObus, withSizeField } from './av1/obu.js';
import { type Av1SequenceHeader, parseAv1SequenceHeader } from './av1/sequence-header.js';

export { AV1_OBU, type Obu, splitObus, stripTemporalDelimiters } from './av1/obu.js';
export * from './av1/sequence-header.js';

/** AV1CodecConfigurationRecord, AV1-ISOBMFF §2.3. */
export interface Av1DecoderConfiguration {
  readonly sequenceHeader: Av1SequenceHeader;
  readonly configObus: Buffer;
}

const PROFILE_NAMES = ['Main', 'High', 'Professional'] as const;
const RECORD_HEADER = 4;
const MARKER_AND_VERSION = 0x81;
/** seq_level_idx that promises nothing, AV1 §A.3. */
const MAX_PARAMETERS = 31;

/**
 * @throws {MediaError} `malformed` or `truncated`; `unsupported` where the record leaves the sequence header to the
 *   stream, from which the size of the picture would have to come
 */
export function parseAv1C(description: Buffer): Av1DecoderConfiguration {
  if (description.length < RECORD_HEADER) throw new MediaError('truncated', `an av1C of ${description.length} bytes`);
  if (description[0] !== MARKER_AND_VERSION) {
    throw new MediaError('malformed', `av1C marker and version 0x${description[0]?.toString(16)}, 0x81 is known`);
  }
  const configObus = description.subarray(RECORD_HEADER);
  const header = splitObus(configObus).find((obu) => obu.type === AV1_OBU.sequenceHeader);
  if (header === undefined) {
    throw new MediaError('unsupported', 'an av1C without a sequence header; let the encoder put it into the record');
  }
  return { sequenceHeader: parseAv1SequenceHeader(header.payload), configObus };
}

/**
 * @param sequenceHeader the OBU, with or without a size field
 * @throws {MediaError} where it is none or can't be read
 */
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
  const header = Buffer.from([MARKER_AND_VERSION, (values.profile << 5) | values.levelIdx, flags, 0]);
  return Buffer.concat([header, withSizeField(obu)]);
}

/** @throws {MediaError} where the record can't be read */
export function av1TrackConfig(track: TrackId, av1C: Buffer): VideoTrackConfig {
  const { sequenceHeader: values } = parseAv1C(av1C);
  const two = (value: number) => String(value).padStart(2, '0');
  const tier = values.tier === 1 ? 'H' : 'M';
  return {
    kind: 'video',
    track,
    codec: 'av1',
    codecString: `av01.${values.profile}.${two(values.levelIdx)}${tier}.${two(values.bitDepth)}`,
    description: av1C,
    width: values.width,
    height: values.height,
    profile: PROFILE_NAMES[values.profile] ?? `profile ${values.profile}`,
    ...(values.levelIdx === MAX_PARAMETERS ? {} : { level: `${2 + (values.levelIdx >> 2)}.${values.levelIdx & 3}` }),
    ...(values.frameRate === undefined ? {} : { frameRate: values.frameRate }),
  };
}
