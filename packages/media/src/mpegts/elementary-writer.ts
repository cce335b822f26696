import { type AudioSpecificConfig, adtsHeader, parseAudioSpecificConfig } from '../codecs/aac.js';
import { H264_NAL, h264NalType, parseAvcC } from '../codecs/h264.js';
import { HEVC_NAL, hevcNalType, parseHvcC } from '../codecs/hevc.js';
import { splitLengthPrefixed } from '../codecs/nal.js';
import { MediaError } from '../errors.js';
import type { Sample } from '../sample.js';
import type { TrackConfig } from '../track-config.js';

/** Turns a sample's bytes into the parts of its elementary stream's next access unit. */
export type ElementaryWriter = (sample: Sample) => readonly Buffer[];

const START_CODE = Buffer.from([0, 0, 0, 1]);
/** Access unit delimiters that allow any slice type, H.264 §7.3.2.4 and H.265 §7.3.2.5. */
const H264_AUD = Buffer.from([0x09, 0xf0]);
const HEVC_AUD = Buffer.from([0x46, 0x01, 0x50]);
/** The control header of Opus packets, ETSI draft for Opus in MPEG-TS, version 0.1.3: a prefix, no trims. */
const OPUS_CONTROL = [0x7f, 0xe0] as const;
/** ADTS tells profiles in 2 bits, ISO 13818-7 §6.2.1: the object types 1 to 4. */
const MAX_ADTS_OBJECT_TYPE = 4;
const EXPLICIT_RATE = 15;

/** @throws {MediaError} where the configuration can't be read, `unsupported` where MPEG-TS has no form for it */
export function elementaryWriterFor(config: TrackConfig): ElementaryWriter {
  switch (config.codec) {
    case 'h264': {
      const { sps, pps } = parseAvcC(config.description);
      return annexBWriter(h264NalType, { type: H264_NAL.aud, unit: H264_AUD }, [
        { type: H264_NAL.sps, units: sps },
        { type: H264_NAL.pps, units: pps },
      ]);
    }
    case 'hevc': {
      const { vps, sps, pps } = parseHvcC(config.description);
      return annexBWriter(hevcNalType, { type: HEVC_NAL.aud, unit: HEVC_AUD }, [
        { type: HEVC_NAL.vps, units: vps },
        { type: HEVC_NAL.sps, units: sps },
        { type: HEVC_NAL.pps, units: pps },
      ]);
    }
    case 'aac': {
      const asc = parseAudioSpecificConfig(config.description);
      checkAdts(asc);
      return (sample) => [adtsHeader(asc, sample.data.length), sample.data];
    }
    case 'opus':
      return (sample) => [opusControlHeader(sample.data.length), sample.data];
    default:
      return (sample) => [sample.data];
  }
}

interface ParameterSets {
  readonly type: number;
  readonly units: readonly Buffer[];
}

/**
 * NAL units behind start codes: a delimiter, parameter sets before a keyframe that doesn't bring its own, and the rest.
 * Where it brings some of them, they come later and so take the place of those from the configuration.
 */
function annexBWriter(
  typeOf: (unit: Buffer) => number,
  delimiter: { readonly type: number; readonly unit: Buffer },
  sets: readonly ParameterSets[],
): ElementaryWriter {
  const setParts = sets.flatMap(({ units }) => units.flatMap((unit) => [START_CODE, unit]));
  return (sample) => {
    const units = splitLengthPrefixed(sample.data, 4);
    if (units.length === 0) throw new MediaError('malformed', 'a video sample without NAL units');
    const isComplete = sets.every(({ type }) => units.some((unit) => typeOf(unit) === type));
    const parts: Buffer[] = [START_CODE, delimiter.unit];
    if (sample.keyframe && !isComplete) parts.push(...setParts);
    for (const unit of units) if (typeOf(unit) !== delimiter.type) parts.push(START_CODE, unit);
    return parts;
  };
}

/** ADTS can't say all that an AudioSpecificConfig can. */
function checkAdts({
  objectType,
  samplingFrequencyIndex,
  channelConfiguration,
  samplesPerFrame,
}: AudioSpecificConfig): void {
  const refuse = (what: string) => new MediaError('unsupported', `AAC ${what} in MPEG-TS, whose ADTS can't tell it`);
  if (objectType > MAX_ADTS_OBJECT_TYPE) throw refuse(`of object type ${objectType}`);
  if (samplingFrequencyIndex === EXPLICIT_RATE) throw refuse('at a rate that is written out');
  if (channelConfiguration === 0) throw refuse('with channels that the stream tells');
  if (samplesPerFrame !== 1024) throw refuse(`with frames of ${samplesPerFrame} samples`);
}

function opusControlHeader(length: number): Buffer {
  const size: number[] = [];
  let left = length;
  for (; left >= 255; left -= 255) size.push(255);
  size.push(left);
  return Buffer.from([...OPUS_CONTROL, ...size]);
}
