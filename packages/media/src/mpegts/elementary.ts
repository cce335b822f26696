import { adtsHeader, parseAudioSpecificConfig } from '../codecs/aac.js';
import { H264_NAL, h264NalType, parseAvcC } from '../codecs/h264.js';
import { HEVC_NAL, hevcNalType, parseHvcC } from '../codecs/hevc.js';
import { splitLengthPrefixed } from '../codecs/nal.js';
import type { Sample } from '../sample.js';
import type { TrackConfig } from '../track-config.js';

/** Turns a sample's bytes into the parts of its elementary stream's next access unit. */
export type ElementaryWriter = (sample: Sample) => readonly Buffer[];

const START_CODE = Buffer.from([0, 0, 0, 1]);
/** Access unit delimiters that allow any slice type, H.264 §7.3.2.4 and H.265 §7.3.2.5. */
const H264_AUD = Buffer.from([0x09, 0xf0]);
const HEVC_AUD = Buffer.from([0x46, 0x01, 0x50]);
/** Opus packets in MPEG-TS have a control header, ETSI TS 103 491 Annex. */
const OPUS_CONTROL = 0x7f;
const OPUS_CONTROL_FLAGS = 0xe0;

export function elementaryWriterFor(config: TrackConfig): ElementaryWriter {
  switch (config.codec) {
    case 'h264': {
      const { sps, pps } = parseAvcC(config.description);
      return annexB(H264_AUD, [...sps, ...pps], h264NalType, H264_NAL.aud, H264_NAL.sps);
    }
    case 'hevc': {
      const { vps, sps, pps } = parseHvcC(config.description);
      return annexB(HEVC_AUD, [...vps, ...sps, ...pps], hevcNalType, HEVC_NAL.aud, HEVC_NAL.sps);
    }
    case 'aac': {
      const asc = parseAudioSpecificConfig(config.description);
      return (sample) => [adtsHeader(asc, sample.data.length), sample.data];
    }
    case 'opus':
      return (sample) => [opusControlHeader(sample.data.length), sample.data];
    default:
      return (sample) => [sample.data];
  }
}

/** NAL units behind start codes: a delimiter, parameter sets before a keyframe that brings none, and the rest. */
function annexB(
  delimiter: Buffer,
  parameterSets: readonly Buffer[],
  typeOf: (unit: Buffer) => number,
  delimiterType: number,
  spsType: number,
): ElementaryWriter {
  const sets = parameterSets.flatMap((unit) => [START_CODE, unit]);
  return (sample) => {
    const units = splitLengthPrefixed(sample.data, 4).filter((unit) => typeOf(unit) !== delimiterType);
    const needsSets = sample.keyframe && !units.some((unit) => typeOf(unit) === spsType);
    const parts: Buffer[] = [START_CODE, delimiter];
    if (needsSets) parts.push(...sets);
    for (const unit of units) parts.push(START_CODE, unit);
    return parts;
  };
}

function opusControlHeader(length: number): Buffer {
  const size: number[] = [];
  let left = length;
  for (; left >= 255; left -= 255) size.push(255);
  size.push(left);
  return Buffer.from([OPUS_CONTROL, OPUS_CONTROL_FLAGS, ...size]);
}
