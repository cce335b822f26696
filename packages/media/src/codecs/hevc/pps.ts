import { MediaError } from '../../errors.js';
import { BitReader } from '../bit-reader.js';
import { removeEmulationPrevention } from '../nal.js';
import { skipScalingLists } from './sps-tail.js';

/** Values of a PPS on which the syntax of slice segment headers depends. H.265 §7.3.2.3. */
export interface HevcPps {
  readonly ppsId: number;
  readonly spsId: number;
  readonly dependentSlices: boolean;
  readonly outputFlag: boolean;
  readonly extraBits: number;
  readonly cabacInit: boolean;
  /** Usual numbers of references in both lists. */
  readonly references: readonly [list0: number, list1: number];
  readonly chromaOffsets: boolean;
  readonly weightedPrediction: boolean;
  readonly weightedBiprediction: boolean;
  /** Slices tell where their tiles or rows begin. */
  readonly entryPoints: boolean;
  readonly filterAcrossSlices: boolean;
  readonly deblockingOverride: boolean;
  readonly deblockingDisabled: boolean;
  readonly listChanges: boolean;
  readonly headerExtension: boolean;
  readonly chromaOffsetList: boolean;
}

/** num_tile_columns_minus1 and its like, H.265 table A.8: 20 columns and 22 rows. */
const MAX_TILES = 64;

/** @throws {MediaError} `malformed` or `truncated`; `unsupported` for extensions of several layers and of screens */
export function parseHevcPps(unit: Buffer): HevcPps {
  const reader = new BitReader(removeEmulationPrevention(unit.subarray(2)));
  const ppsId = reader.ue();
  const spsId = reader.ue();
  const dependentSlices = reader.flag();
  const outputFlag = reader.flag();
  const extraBits = reader.bits(3);
  reader.skip(1); // sign_data_hiding_enabled_flag
  const cabacInit = reader.flag();
  const references = [reader.ue() + 1, reader.ue() + 1] as const;
  reader.se(); // init_qp_minus26
  reader.skip(1); // constrained_intra_pred_flag
  const transformSkip = reader.flag();
  if (reader.flag()) reader.ue(); // diff_cu_qp_delta_depth
  reader.se();
  reader.se();
  const chromaOffsets = reader.flag();
  const weightedPrediction = reader.flag();
  const weightedBiprediction = reader.flag();
  reader.skip(1); // transquant_bypass_enabled_flag
  const tiles = reader.flag();
  const entropySync = reader.flag();
  if (tiles) skipTiles(reader);
  const filterAcrossSlices = reader.flag();
  const deblocking = readDeblocking(reader);
  if (reader.flag()) skipScalingLists(reader);
  const listChanges = reader.flag();
  reader.ue(); // log2_parallel_merge_level_minus2
  const headerExtension = reader.flag();
  const chromaOffsetList = reader.flag() && readExtensions(reader, transformSkip);
  return {
    ...{ ppsId, spsId, dependentSlices, outputFlag, extraBits, cabacInit, references, chromaOffsets },
    ...{ weightedPrediction, weightedBiprediction, entryPoints: tiles || entropySync, filterAcrossSlices },
    ...{ ...deblocking, listChanges, headerExtension, chromaOffsetList },
  };
}

function skipTiles(reader: BitReader): void {
  const columns = reader.ue();
  const rows = reader.ue();
  if (columns > MAX_TILES || rows > MAX_TILES) {
    throw new MediaError('malformed', `an HEVC PPS of ${columns + 1}x${rows + 1} tiles`);
  }
  const isUniform = reader.flag();
  if (!isUniform) for (let side = 0; side < columns + rows; side++) reader.ue();
  reader.skip(1); // loop_filter_across_tiles_enabled_flag
}

function readDeblocking(reader: BitReader) {
  if (!reader.flag()) return { deblockingOverride: false, deblockingDisabled: false };
  const deblockingOverride = reader.flag();
  const deblockingDisabled = reader.flag();
  if (!deblockingDisabled) {
    reader.se();
    reader.se();
  }
  return { deblockingOverride, deblockingDisabled };
}

/** @returns chroma_qp_offset_list_enabled_flag, H.265 §7.3.2.3.2 */
function readExtensions(reader: BitReader, transformSkip: boolean): boolean {
  const hasRange = reader.flag();
  const others = reader.bits(3);
  reader.skip(4); // pps_extension_4bits
  if (others !== 0) throw new MediaError('unsupported', 'an HEVC PPS with extensions of layers or of screen content');
  if (!hasRange) return false;
  if (transformSkip) reader.ue();
  reader.skip(1); // cross_component_prediction_enabled_flag
  return reader.flag();
}
