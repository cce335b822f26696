import { MediaError } from '../../errors.js';
import type { BitReader } from '../bit-reader.js';
import { plausibleFrameRate } from '../frame-rate.js';
import { type ColourDescription, type PixelAspect, readPixelAspect, readVideoSignal } from '../picture-format.js';
import { readShortTermSet, type ShortTermSet } from './reference-sets.js';

/** What stands behind an SPS's bit depths, as far as it could be read. */
export interface HevcSpsTail {
  /** 0: no B-frames are reordered. */
  readonly maxNumReorderFrames?: number;
  readonly sliceSyntax?: HevcSliceSyntax;
  readonly pixelAspect?: PixelAspect;
  readonly colour?: ColourDescription;
  readonly frameRate?: number;
}

/** On which the syntax of slice segment headers depends. */
export interface HevcSliceSyntax {
  readonly log2MaxPocLsb: number;
  /** Of the sides of a coding tree block. */
  readonly log2BlockSize: number;
  readonly sampleAdaptiveOffset: boolean;
  readonly shortTermSets: readonly ShortTermSet[];
  /** Of the long-term pictures that the SPS lists, whether they are used; undefined where slices name none at all. */
  readonly longTermPictures?: readonly boolean[];
  readonly temporalMotionVectors: boolean;
}

type Found = { -readonly [Key in keyof HevcSpsTail]: HevcSpsTail[Key] };

/** The bounds of the counts, H.265 §7.4.3.2.1 and §7.4.8. */
const MAX_SHORT_TERM_SETS = 64;
const MAX_LONG_TERM_PICTURES = 32;
const MAX_LOG2_POC_LSB = 16;
/** CtbLog2SizeY goes up to 6, H.265 §7.4.3.2.1. */
const MAX_LOG2_BLOCK = 6;

/**
 * An SPS from log2_max_pic_order_cnt_lsb_minus4 on, to the timing in its VUI. H.265 §7.3.2.2.1
 *
 * It is nice to have only, so that what can't be read is left out rather than refused.
 */
export function readSpsTail(reader: BitReader, maxSubLayers: number): HevcSpsTail {
  const found: Found = {};
  try {
    const log2MaxPocLsb = reader.ue() + 4;
    if (log2MaxPocLsb > MAX_LOG2_POC_LSB) return found;
    const ordered = reader.flag() ? maxSubLayers : 1;
    let reorder = 0;
    for (let layer = 0; layer < ordered; layer++) {
      reader.ue(); // sps_max_dec_pic_buffering_minus1
      reorder = reader.ue();
      reader.ue(); // sps_max_latency_increase_plus1
    }
    found.maxNumReorderFrames = reorder;
    const log2MinBlock = reader.ue() + 3;
    const log2BlockSize = bounded(log2MinBlock + reader.ue(), MAX_LOG2_BLOCK, 'bits of a coding tree block size');
    for (let field = 0; field < 4; field++) reader.ue(); // transform block sizes and hierarchy depths
    if (reader.flag() && reader.flag()) skipScalingLists(reader);
    reader.skip(1); // amp_enabled_flag
    const sampleAdaptiveOffset = reader.flag();
    if (reader.flag()) skipPcm(reader);
    const shortTermSets = readShortTermSets(reader);
    const longTerm = reader.flag() ? { longTermPictures: readLongTermPictures(reader, log2MaxPocLsb) } : {};
    const temporalMotionVectors = reader.flag();
    reader.skip(1); // strong_intra_smoothing_enabled_flag
    found.sliceSyntax = {
      log2MaxPocLsb,
      log2BlockSize,
      sampleAdaptiveOffset,
      shortTermSets,
      ...longTerm,
      temporalMotionVectors,
    };
    if (reader.flag()) readVui(reader, found);
    return found;
  } catch (error) {
    if (!(error instanceof MediaError)) throw error;
    return found;
  }
}

function bounded(value: number, limit: number, of: string): number {
  if (value > limit) throw new MediaError('malformed', `${value} ${of} in an HEVC SPS, ${limit} are allowed`);
  return value;
}

/** scaling_list_data(), H.265 §7.3.4. */
export function skipScalingLists(reader: BitReader): void {
  for (let size = 0; size < 4; size++) {
    for (let matrix = 0; matrix < 6; matrix += size === 3 ? 3 : 1) {
      if (!reader.flag()) {
        reader.ue(); // scaling_list_pred_matrix_id_delta
        continue;
      }
      if (size > 1) reader.se(); // scaling_list_dc_coef_minus8
      const coefficients = Math.min(64, 1 << (4 + (size << 1)));
      for (let index = 0; index < coefficients; index++) reader.se();
    }
  }
}

function skipPcm(reader: BitReader): void {
  reader.skip(8); // bit depths
  reader.ue();
  reader.ue();
  reader.skip(1); // pcm_loop_filter_disabled_flag
}

function readShortTermSets(reader: BitReader): ShortTermSet[] {
  const count = bounded(reader.ue(), MAX_SHORT_TERM_SETS, 'short-term reference picture sets');
  const sets: ShortTermSet[] = [];
  for (let index = 0; index < count; index++) sets.push(readShortTermSet(reader, index, sets));
  return sets;
}

function readLongTermPictures(reader: BitReader, log2MaxPocLsb: number): boolean[] {
  const count = bounded(reader.ue(), MAX_LONG_TERM_PICTURES, 'long-term pictures');
  return Array.from({ length: count }, () => {
    reader.skip(log2MaxPocLsb);
    return reader.flag();
  });
}

/** H.265 §E.2.1, to the timing. A tick is a frame, or a field where fields are coded as pictures. */
function readVui(reader: BitReader, found: Found): void {
  const pixelAspect = readPixelAspect(reader);
  if (pixelAspect !== undefined) found.pixelAspect = pixelAspect;
  if (reader.flag()) reader.skip(1); // overscan
  const colour = readVideoSignal(reader);
  if (colour !== undefined) found.colour = colour;
  if (reader.flag()) {
    reader.ue();
    reader.ue();
  }
  reader.skip(1); // neutral_chroma_indication_flag
  const areFields = reader.flag();
  reader.skip(1); // frame_field_info_present_flag
  if (reader.flag()) for (let side = 0; side < 4; side++) reader.ue(); // default display window
  if (!reader.flag()) return;
  const unitsInTick = reader.bits(32);
  const timeScale = reader.bits(32);
  const frameRate = plausibleFrameRate(timeScale, areFields ? 2 * unitsInTick : unitsInTick);
  if (frameRate !== undefined) found.frameRate = frameRate;
}
