import { MediaError } from '../../errors.js';
import { BitReader } from '../bit-reader.js';
import { removeEmulationPrevention } from '../nal.js';
import { checkPictureSize } from '../picture-size.js';
import { HEVC_NAL, hevcNalType } from './nal-unit.js';
import { type HevcSpsTail, readSpsTail } from './sps-tail.js';

/** profile_tier_level() without sub-layers, H.265 §7.3.3. */
interface ProfileTierLevel {
  readonly profileSpace: number;
  readonly tier: number;
  readonly profileIdc: number;
  readonly compatibility: number;
  /** The 6 bytes between the compatibility flags and the level. */
  readonly constraints: Buffer;
  readonly levelIdc: number;
}

/** Values of an SPS that matter outside a decoder. H.265 §7.3.2.2. */
export interface HevcSps extends ProfileTierLevel, HevcSpsTail {
  readonly spsId: number;
  readonly maxSubLayers: number;
  readonly temporalIdNested: boolean;
  readonly chromaFormat: number;
  readonly separateColourPlanes: boolean;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
  /** In luma samples, cropped. */
  readonly width: number;
  readonly height: number;
  /** In luma samples, as coded. */
  readonly codedWidth: number;
  readonly codedHeight: number;
}

/** sps_max_sub_layers_minus1 goes up to 6, bit_depth_luma_minus8 and its like up to 8. H.265 §7.4.3.2.1 */
const MAX_SUB_LAYERS = 7;
const MAX_BIT_DEPTH = 16;

/** @throws {MediaError} `malformed` or `truncated` */
export function parseHevcSps(unit: Buffer): HevcSps {
  const type = hevcNalType(unit);
  if (unit.length > 0 && type !== HEVC_NAL.sps) {
    throw new MediaError('malformed', `a NAL unit of type ${type} where an SPS (${HEVC_NAL.sps}) has to be`);
  }
  const reader = new BitReader(removeEmulationPrevention(unit.subarray(2)));
  reader.skip(4); // sps_video_parameter_set_id
  const maxSubLayers = reader.bits(3) + 1;
  if (maxSubLayers > MAX_SUB_LAYERS) throw new MediaError('malformed', `${maxSubLayers} sub-layers in an HEVC SPS`);
  const temporalIdNested = reader.flag();
  const profile = readProfileTierLevel(reader, maxSubLayers);
  const spsId = reader.ue();
  const chromaFormat = reader.ue();
  if (chromaFormat > 3) throw new MediaError('malformed', `chroma format ${chromaFormat} in an HEVC SPS`);
  const separateColourPlanes = chromaFormat === 3 && reader.flag();
  const size = readPictureSize(reader, chromaFormat);
  checkPictureSize('an HEVC SPS', size.width, size.height);
  const bitDepthLuma = reader.ue() + 8;
  const bitDepthChroma = reader.ue() + 8;
  if (Math.max(bitDepthLuma, bitDepthChroma) > MAX_BIT_DEPTH) {
    throw new MediaError('malformed', `bit depths ${bitDepthLuma} and ${bitDepthChroma} in an HEVC SPS`);
  }
  const tail = readSpsTail(reader, maxSubLayers);
  const format = { chromaFormat, separateColourPlanes, bitDepthLuma, bitDepthChroma };
  return { ...profile, spsId, maxSubLayers, temporalIdNested, ...format, ...size, ...tail };
}

/** The conformance window counts in chroma samples, H.265 table 6-1. */
function readPictureSize(reader: BitReader, chromaFormat: number) {
  const codedWidth = reader.ue();
  const codedHeight = reader.ue();
  const isCropped = reader.flag();
  const cropX = isCropped ? reader.ue() + reader.ue() : 0;
  const cropY = isCropped ? reader.ue() + reader.ue() : 0;
  return {
    width: codedWidth - cropX * (chromaFormat === 1 || chromaFormat === 2 ? 2 : 1),
    height: codedHeight - cropY * (chromaFormat === 1 ? 2 : 1),
    codedWidth,
    codedHeight,
  };
}

function readProfileTierLevel(reader: BitReader, maxSubLayers: number): ProfileTierLevel {
  const profileSpace = reader.bits(2);
  const tier = reader.bits(1);
  const profileIdc = reader.bits(5);
  const compatibility = reader.bits(32);
  const constraints = Buffer.alloc(6);
  for (let index = 0; index < constraints.length; index++) constraints[index] = reader.bits(8);
  const levelIdc = reader.bits(8);
  let subLayerBits = 0;
  for (let layer = 1; layer < maxSubLayers; layer++) subLayerBits += (reader.flag() ? 88 : 0) + (reader.flag() ? 8 : 0);
  if (maxSubLayers > 1) reader.skip(2 * (9 - maxSubLayers)); // reserved_zero_2bits
  reader.skip(subLayerBits);
  return { profileSpace, tier, profileIdc, compatibility, constraints, levelIdc };
}
