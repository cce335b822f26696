import { MediaError } from '../../errors.js';
import { BitReader } from '../bit-reader.js';
import { plausibleFrameRate } from '../frame-rate.js';
import { removeEmulationPrevention } from '../nal.js';
import { type ColourDescription, type PixelAspect, readPixelAspect, readVideoSignal } from '../picture-format.js';
import { checkPictureSize } from '../picture-size.js';
import { H264_NAL, h264NalType } from './nal-unit.js';

/** Values of an SPS that matter outside a decoder. H.264 §7.3.2.1. */
export interface H264Sps {
  readonly profileIdc: number;
  /** The byte between profile_idc and level_idc. */
  readonly constraintFlags: number;
  readonly levelIdc: number;
  /** In luma samples, cropped. */
  readonly width: number;
  readonly height: number;
  /** Of High profiles; the others are 4:2:0 of 8 bits. */
  readonly sampleFormat?: H264SampleFormat;
  /** On which the syntax of slice headers depends. */
  readonly sliceSyntax: H264SliceSyntax;
  readonly pixelAspect?: PixelAspect;
  readonly colour?: ColourDescription;
  readonly frameRate?: number;
  /** 0: no B-frames are reordered. From the VUI, where given. */
  readonly maxNumReorderFrames?: number;
}

interface H264SliceSyntax {
  readonly spsId: number;
  readonly separateColourPlanes: boolean;
  readonly log2MaxFrameNum: number;
  readonly pictureOrder: PictureOrder;
  readonly framesOnly: boolean;
}

/** Of pic_order_cnt_type 0 the size of its counter; of type 1 whether slices tell differences; type 2 tells nothing. */
type PictureOrder =
  | { readonly type: 0; readonly log2MaxLsb: number }
  | { readonly type: 1; readonly deltaAlwaysZero: boolean }
  | { readonly type: 2 };

interface H264SampleFormat {
  /** 0: monochrome, 1: 4:2:0, 2: 4:2:2, 3: 4:4:4. */
  readonly chromaFormat: number;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
  readonly separateColourPlanes: boolean;
}

/** Profiles whose SPS tells the sample format, H.264 §7.3.2.1.1. */
const HIGH_PROFILES: ReadonlySet<number> = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);
/** bit_depth_luma_minus8 and its like, H.264 §7.4.2.1.1. */
const MAX_BIT_DEPTH = 14;
/** Bounds the work that a forged SPS can ask for; H.264 allows 255 (§7.4.2.1.1). */
const MAX_POC_CYCLE = 255;
/** cpb_cnt_minus1 goes up to 31, H.264 §E.2.2. */
const MAX_CPB_COUNT = 32;
/** log2_max_frame_num_minus4 and log2_max_pic_order_cnt_lsb_minus4 go up to 12, H.264 §7.4.2.1.1. */
const MAX_LOG2_COUNTER = 16;

/** @throws {MediaError} `malformed` or `truncated` */
export function parseH264Sps(unit: Buffer): H264Sps {
  const type = h264NalType(unit);
  if (unit.length > 0 && type !== H264_NAL.sps) {
    throw new MediaError('malformed', `a NAL unit of type ${type} where an SPS (${H264_NAL.sps}) has to be`);
  }
  const reader = new BitReader(removeEmulationPrevention(unit.subarray(1)));
  const profileIdc = reader.bits(8);
  const constraintFlags = reader.bits(8);
  const levelIdc = reader.bits(8);
  const spsId = reader.ue();
  const sampleFormat = HIGH_PROFILES.has(profileIdc) ? readSampleFormat(reader) : undefined;
  const log2MaxFrameNum = readLog2(reader);
  const pictureOrder = readPictureOrder(reader);
  reader.ue(); // max_num_ref_frames
  reader.skip(1); // gaps_in_frame_num_value_allowed_flag
  const { framesOnly, ...size } = readPictureSize(reader, sampleFormat?.chromaFormat ?? 1);
  checkPictureSize('an H.264 SPS', size.width, size.height);
  const format = sampleFormat === undefined ? {} : { sampleFormat };
  const separateColourPlanes = sampleFormat?.separateColourPlanes ?? false;
  const sliceSyntax = { spsId, separateColourPlanes, log2MaxFrameNum, pictureOrder, framesOnly };
  return { profileIdc, constraintFlags, levelIdc, ...size, ...format, sliceSyntax, ...readVui(reader) };
}

function readSampleFormat(reader: BitReader): H264SampleFormat {
  const chromaFormat = reader.ue();
  if (chromaFormat > 3) throw new MediaError('malformed', `chroma format ${chromaFormat} in an H.264 SPS`);
  const separateColourPlanes = chromaFormat === 3 && reader.flag();
  const bitDepthLuma = reader.ue() + 8;
  const bitDepthChroma = reader.ue() + 8;
  if (Math.max(bitDepthLuma, bitDepthChroma) > MAX_BIT_DEPTH) {
    throw new MediaError('malformed', `bit depths ${bitDepthLuma} and ${bitDepthChroma} in an H.264 SPS`);
  }
  reader.skip(1); // qpprime_y_zero_transform_bypass_flag
  if (reader.flag()) {
    const lists = chromaFormat === 3 ? 12 : 8;
    for (let list = 0; list < lists; list++) if (reader.flag()) skipScalingList(reader, list < 6 ? 16 : 64);
  }
  return { chromaFormat, bitDepthLuma, bitDepthChroma, separateColourPlanes };
}

/** H.264 §7.3.2.1.1.1. */
function skipScalingList(reader: BitReader, size: number): void {
  let last = 8;
  let next = 8;
  for (let index = 0; index < size && next !== 0; index++) {
    next = (last + reader.se() + 256) % 256;
    if (next !== 0) last = next;
  }
}

function readLog2(reader: BitReader): number {
  const bits = reader.ue() + 4;
  if (bits > MAX_LOG2_COUNTER) throw new MediaError('malformed', `a counter of ${bits} bits in an H.264 SPS`);
  return bits;
}

function readPictureOrder(reader: BitReader): PictureOrder {
  const type = reader.ue();
  if (type === 0) return { type, log2MaxLsb: readLog2(reader) };
  if (type === 2) return { type };
  if (type !== 1) throw new MediaError('malformed', `picture order count type ${type} in an H.264 SPS`);
  const deltaAlwaysZero = reader.flag();
  reader.se();
  reader.se();
  const cycle = reader.ue();
  if (cycle > MAX_POC_CYCLE) throw new MediaError('malformed', `${cycle} reference frames in a picture order cycle`);
  for (let index = 0; index < cycle; index++) reader.se();
  return { type, deltaAlwaysZero };
}

/** From pic_width_in_mbs_minus1 to the cropping, whose units are those of table 6-1 and §7.4.2.1.1. */
function readPictureSize(reader: BitReader, chromaFormat: number) {
  const widthInMacroblocks = reader.ue() + 1;
  const heightInMapUnits = reader.ue() + 1;
  const framesOnly = reader.flag();
  if (!framesOnly) reader.skip(1); // mb_adaptive_frame_field_flag
  reader.skip(1); // direct_8x8_inference_flag
  const fieldFactor = framesOnly ? 1 : 2;
  const cropUnitX = chromaFormat === 1 || chromaFormat === 2 ? 2 : 1;
  const cropUnitY = (chromaFormat === 1 ? 2 : 1) * fieldFactor;
  const isCropped = reader.flag();
  const cropX = isCropped ? reader.ue() + reader.ue() : 0;
  const cropY = isCropped ? reader.ue() + reader.ue() : 0;
  return {
    width: widthInMacroblocks * 16 - cropX * cropUnitX,
    height: heightInMapUnits * 16 * fieldFactor - cropY * cropUnitY,
    framesOnly,
  };
}

interface Vui {
  pixelAspect?: PixelAspect;
  colour?: ColourDescription;
  frameRate?: number;
  maxNumReorderFrames?: number;
}

/** H.264 §E.1.1. Encoders cut it short now and then, which is no reason to refuse a stream. */
function readVui(reader: BitReader): Vui {
  const found: Vui = {};
  try {
    if (!reader.flag()) return found;
    const pixelAspect = readPixelAspect(reader);
    if (pixelAspect !== undefined) found.pixelAspect = pixelAspect;
    if (reader.flag()) reader.skip(1); // overscan
    const colour = readVideoSignal(reader);
    if (colour !== undefined) found.colour = colour;
    if (reader.flag()) {
      reader.ue();
      reader.ue();
    }
    if (reader.flag()) {
      const unitsInTick = reader.bits(32);
      const timeScale = reader.bits(32);
      reader.skip(1); // fixed_frame_rate_flag
      const rate = plausibleFrameRate(timeScale, 2 * unitsInTick);
      if (rate !== undefined) found.frameRate = rate;
    }
    const nalHrd = reader.flag();
    if (nalHrd) skipHrd(reader);
    const vclHrd = reader.flag();
    if (vclHrd) skipHrd(reader);
    if (nalHrd || vclHrd) reader.skip(1);
    reader.skip(1); // pic_struct_present_flag
    if (!reader.flag()) return found;
    reader.skip(1);
    for (let index = 0; index < 4; index++) reader.ue();
    found.maxNumReorderFrames = reader.ue();
    return found;
  } catch (error) {
    if (!(error instanceof MediaError)) throw error;
    return found;
  }
}

/** H.264 §E.1.2. */
function skipHrd(reader: BitReader): void {
  const count = reader.ue() + 1;
  if (count > MAX_CPB_COUNT) throw new MediaError('malformed', `${count} CPB descriptions in an H.264 SPS`);
  reader.skip(8);
  for (let index = 0; index < count; index++) {
    reader.ue();
    reader.ue();
    reader.skip(1);
  }
  reader.skip(20);
}
