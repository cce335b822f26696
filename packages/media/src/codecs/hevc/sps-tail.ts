import { MediaError } from '../../errors.js';
import type { BitReader } from '../bit-reader.js';
import { plausibleFrameRate } from '../frame-rate.js';

/** What stands behind an SPS's bit depths, as far as it could be read. */
export interface HevcSpsTail {
  /** 0: no B-frames are reordered. */
  readonly maxNumReorderFrames?: number;
  readonly frameRate?: number;
}

/** The bounds of the counts, H.265 §7.4.3.2.1 and §7.4.8. */
const MAX_SHORT_TERM_SETS = 64;
const MAX_LONG_TERM_PICTURES = 32;
const MAX_PICTURES = 16;
const MAX_LOG2_POC_LSB = 16;
const EXTENDED_SAR = 255;

/**
 * An SPS from log2_max_pic_order_cnt_lsb_minus4 on, to the timing in its VUI. H.265 §7.3.2.2.1
 *
 * It is nice to have only, so that what can't be read is left out rather than refused.
 */
export function readSpsTail(reader: BitReader, maxSubLayers: number): HevcSpsTail {
  const found: { maxNumReorderFrames?: number; frameRate?: number } = {};
  try {
    const log2PocLsb = reader.ue() + 4;
    if (log2PocLsb > MAX_LOG2_POC_LSB) return found;
    const ordered = reader.flag() ? maxSubLayers : 1;
    let reorder = 0;
    for (let layer = 0; layer < ordered; layer++) {
      reader.ue(); // sps_max_dec_pic_buffering_minus1
      reorder = reader.ue();
      reader.ue(); // sps_max_latency_increase_plus1
    }
    found.maxNumReorderFrames = reorder;
    for (let field = 0; field < 6; field++) reader.ue(); // block sizes and hierarchy depths
    if (reader.flag() && reader.flag()) skipScalingLists(reader);
    reader.skip(2); // amp_enabled_flag, sample_adaptive_offset_enabled_flag
    if (reader.flag()) skipPcm(reader);
    skipShortTermSets(reader);
    if (reader.flag()) {
      const pictures = bounded(reader.ue(), MAX_LONG_TERM_PICTURES, 'long-term pictures');
      reader.skip(pictures * (log2PocLsb + 1));
    }
    reader.skip(2); // sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
    const frameRate = reader.flag() ? readVuiFrameRate(reader) : undefined;
    if (frameRate !== undefined) found.frameRate = frameRate;
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

/** H.265 §7.3.4. */
function skipScalingLists(reader: BitReader): void {
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

/** H.265 §7.3.7: each set may be told by its difference from the one before. */
function skipShortTermSets(reader: BitReader): void {
  const sets = bounded(reader.ue(), MAX_SHORT_TERM_SETS, 'short-term reference picture sets');
  let pictures = 0;
  for (let set = 0; set < sets; set++) {
    pictures = set > 0 && reader.flag() ? skipPredictedSet(reader, pictures) : skipExplicitSet(reader);
  }
}

/** @returns how many pictures the set has */
function skipPredictedSet(reader: BitReader, before: number): number {
  reader.skip(1); // delta_rps_sign
  reader.ue(); // abs_delta_rps_minus1
  let pictures = 0;
  for (let index = 0; index <= before; index++) {
    const isUsed = reader.flag() || reader.flag(); // used_by_curr_pic_flag, use_delta_flag
    if (isUsed) pictures += 1;
  }
  return bounded(pictures, MAX_PICTURES, 'pictures of a reference set');
}

/** @returns how many pictures the set has */
function skipExplicitSet(reader: BitReader): number {
  const negative = bounded(reader.ue(), MAX_PICTURES, 'earlier pictures of a reference set');
  const positive = bounded(reader.ue(), MAX_PICTURES, 'later pictures of a reference set');
  const pictures = bounded(negative + positive, MAX_PICTURES, 'pictures of a reference set');
  for (let index = 0; index < pictures; index++) {
    reader.ue(); // delta_poc_minus1
    reader.skip(1); // used_by_curr_pic_flag
  }
  return pictures;
}

/** H.265 §E.2.1, to the timing. A tick is a frame, or a field where fields are coded as pictures. */
function readVuiFrameRate(reader: BitReader): number | undefined {
  if (reader.flag() && reader.bits(8) === EXTENDED_SAR) reader.skip(32);
  if (reader.flag()) reader.skip(1); // overscan
  if (reader.flag()) {
    reader.skip(4);
    if (reader.flag()) reader.skip(24);
  }
  if (reader.flag()) {
    reader.ue();
    reader.ue();
  }
  reader.skip(1); // neutral_chroma_indication_flag
  const areFields = reader.flag();
  reader.skip(1); // frame_field_info_present_flag
  if (reader.flag()) for (let side = 0; side < 4; side++) reader.ue(); // default display window
  if (!reader.flag()) return undefined;
  const unitsInTick = reader.bits(32);
  const timeScale = reader.bits(32);
  return plausibleFrameRate(timeScale, areFields ? 2 * unitsInTick : unitsInTick);
}
