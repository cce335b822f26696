import { MediaError } from '../../errors.js';
import type { BitReader } from '../bit-reader.js';
import { bitsFor, sliceHeaderLength } from '../slice-reader.js';
import { parseHvcC } from './decoder-configuration.js';
import { HEVC_NAL, hevcNalType } from './nal-unit.js';
import { type HevcPps, parseHevcPps } from './pps.js';
import { readShortTermSet, type ShortTermSet } from './reference-sets.js';
import { type HevcSps, parseHevcSps } from './sps.js';
import type { HevcSliceSyntax } from './sps-tail.js';

/** slice_type, H.265 table 7-7. */
const SLICE = { b: 0, p: 1, i: 2 } as const;
const NAL_HEADER = 2;
const IDR: ReadonlySet<number> = new Set([19, 20]);
/** Types of slices are below, H.265 table 7-1. */
const FIRST_NON_VCL = 32;
/** num_ref_idx_l0_active_minus1 goes up to 14, H.265 §7.4.7.1. */
const MAX_REFERENCES = 15;
const MAX_LONG_TERM = 32;
/** Entry points of 22 rows of tiles with 20 columns, each of as many rows of blocks as 8K has. H.265 §7.4.7.1 */
const MAX_ENTRY_POINTS = 440 * 135;

interface Sets {
  readonly sps: HevcSps;
  readonly syntax: HevcSliceSyntax;
  readonly pps: HevcPps;
}

/** What a slice's header says of the pictures that it refers to. */
interface References {
  /** NumPicTotalCurr, H.265 §7.4.7.2. */
  readonly used: number;
  readonly temporalMotionVectors: boolean;
}

/** Finds where the headers of slices end, H.265 §7.3.6, with the parameter sets of the record and of the stream. */
export class HevcSliceHeaders {
  readonly #sps = new Map<number, HevcSps>();
  readonly #pps = new Map<number, HevcPps>();

  /** @throws {MediaError} where the record or its parameter sets can't be read */
  constructor(hvcC: Buffer) {
    const { sps, pps } = parseHvcC(hvcC);
    for (const unit of [...sps, ...pps]) this.headerLength(unit);
  }

  /**
   * @param unit each of the stream's, in order
   * @returns bytes of a slice's NAL unit to the end of its header; undefined for what is no slice
   * @throws {MediaError} where the unit can't be read; `no-config` where its parameter sets are unknown
   */
  headerLength(unit: Buffer): number | undefined {
    const type = hevcNalType(unit);
    if (type === HEVC_NAL.sps) {
      const sps = parseHevcSps(unit);
      this.#sps.set(sps.spsId, sps);
    } else if (type === HEVC_NAL.pps) {
      const pps = parseHevcPps(unit);
      this.#pps.set(pps.ppsId, pps);
    }
    if (type >= FIRST_NON_VCL) return undefined;
    return sliceHeaderLength(unit, NAL_HEADER, (reader) => this.#readHeader(reader, type));
  }

  #setsOf(ppsId: number): Sets {
    const pps = this.#pps.get(ppsId);
    const sps = pps === undefined ? undefined : this.#sps.get(pps.spsId);
    if (pps === undefined || sps === undefined) {
      throw new MediaError('no-config', `a slice of PPS ${ppsId}, which is unknown, or its SPS`);
    }
    if (sps.sliceSyntax === undefined) throw new MediaError('unsupported', `HEVC SPS ${sps.spsId} can't be read whole`);
    return { sps, syntax: sps.sliceSyntax, pps };
  }

  #readHeader(reader: BitReader, type: number): void {
    const isFirst = reader.flag();
    if (type >= HEVC_NAL.firstIrap && type <= HEVC_NAL.lastIrap) reader.skip(1); // no_output_of_prior_pics_flag
    const sets = this.#setsOf(reader.ue());
    const { sps, syntax, pps } = sets;
    const isDependent = !isFirst && pps.dependentSlices && reader.flag();
    if (!isFirst) reader.skip(bitsFor(blocksOf(sps, syntax)));
    if (!isDependent) skipIndependent(reader, sets, IDR.has(type));
    if (pps.entryPoints) skipEntryPoints(reader);
    if (pps.headerExtension) reader.skip(8 * reader.ue());
    reader.skip(1); // alignment_bit_equal_to_one
  }
}

/** PicSizeInCtbsY. */
function blocksOf({ codedWidth, codedHeight }: HevcSps, { log2BlockSize }: HevcSliceSyntax): number {
  const side = 2 ** log2BlockSize;
  return Math.ceil(codedWidth / side) * Math.ceil(codedHeight / side);
}

/** What a dependent slice segment takes over from the one before it. */
function skipIndependent(reader: BitReader, sets: Sets, isIdr: boolean): void {
  const { sps, syntax, pps } = sets;
  reader.skip(pps.extraBits);
  const type = reader.ue();
  if (pps.outputFlag) reader.skip(1);
  if (sps.separateColourPlanes) reader.skip(2);
  const pictures = isIdr ? { used: 0, temporalMotionVectors: false } : readPictures(reader, syntax);
  const chroma = sps.chromaFormat !== 0 && !sps.separateColourPlanes;
  const filtersLuma = syntax.sampleAdaptiveOffset && reader.flag();
  const filtersChroma = syntax.sampleAdaptiveOffset && chroma && reader.flag();
  if (type !== SLICE.i) skipPrediction(reader, { pps, type, pictures, chroma });
  reader.se(); // slice_qp_delta
  if (pps.chromaOffsets) {
    reader.se();
    reader.se();
  }
  if (pps.chromaOffsetList) reader.skip(1);
  const isDeblocked = readDeblocking(reader, pps);
  if (pps.filterAcrossSlices && (filtersLuma || filtersChroma || isDeblocked)) reader.skip(1);
}

function readPictures(reader: BitReader, syntax: HevcSliceSyntax): References {
  const { log2MaxPocLsb, shortTermSets, longTermPictures } = syntax;
  reader.skip(log2MaxPocLsb);
  const set = reader.flag()
    ? shortTermSets[reader.bits(bitsFor(Math.max(shortTermSets.length, 1)))]
    : readShortTermSet(reader, shortTermSets.length, shortTermSets, true);
  if (set === undefined) throw new MediaError('malformed', 'an HEVC slice of a reference picture set that is unknown');
  const longTerm = longTermPictures === undefined ? 0 : readLongTerm(reader, longTermPictures, log2MaxPocLsb);
  return { used: usedOf(set) + longTerm, temporalMotionVectors: syntax.temporalMotionVectors && reader.flag() };
}

const usedOf = ({ earlier, later }: ShortTermSet): number => [...earlier, ...later].filter(({ used }) => used).length;

/** @returns how many of the slice's long-term pictures it uses */
function readLongTerm(reader: BitReader, listed: readonly boolean[], log2MaxPocLsb: number): number {
  const fromList = listed.length > 0 ? reader.ue() : 0;
  const count = fromList + reader.ue();
  if (count > MAX_LONG_TERM) throw new MediaError('malformed', `${count} long-term pictures in an HEVC slice`);
  let used = 0;
  for (let index = 0; index < count; index++) {
    let isUsed: boolean;
    if (index < fromList) {
      isUsed = listed[reader.bits(bitsFor(listed.length))] ?? false;
    } else {
      reader.skip(log2MaxPocLsb);
      isUsed = reader.flag();
    }
    if (isUsed) used += 1;
    if (reader.flag()) reader.ue(); // delta_poc_msb_cycle_lt
  }
  return used;
}

interface Prediction {
  readonly pps: HevcPps;
  readonly type: number;
  readonly pictures: References;
  readonly chroma: boolean;
}

function skipPrediction(reader: BitReader, { pps, type, pictures, chroma }: Prediction): void {
  const isB = type === SLICE.b;
  const isOverridden = reader.flag();
  const references = pps.references.slice(0, isB ? 2 : 1).map((usual) => {
    const count = isOverridden ? reader.ue() + 1 : usual;
    if (count > MAX_REFERENCES) throw new MediaError('malformed', `${count} references in an HEVC slice`);
    return count;
  });
  if (pps.listChanges && pictures.used > 1) {
    for (const count of references) if (reader.flag()) reader.skip(count * bitsFor(pictures.used));
  }
  if (isB) reader.skip(1); // mvd_l1_zero_flag
  if (pps.cabacInit) reader.skip(1);
  if (pictures.temporalMotionVectors) {
    const collocatedList = isB && !reader.flag() ? 1 : 0;
    if ((references[collocatedList] ?? 1) > 1) reader.ue(); // collocated_ref_idx
  }
  if (isB ? pps.weightedBiprediction : pps.weightedPrediction) skipWeights(reader, references, chroma);
  reader.ue(); // five_minus_max_num_merge_cand
}

/** pred_weight_table(), H.265 §7.3.6.3: flags of all references first, then the values of those that have some. */
function skipWeights(reader: BitReader, references: readonly number[], chroma: boolean): void {
  reader.ue();
  if (chroma) reader.se();
  for (const count of references) {
    const luma = Array.from({ length: count }, () => reader.flag());
    const colour = luma.map(() => chroma && reader.flag());
    for (let reference = 0; reference < count; reference++) {
      const values = (luma[reference] ? 2 : 0) + (colour[reference] ? 4 : 0);
      for (let value = 0; value < values; value++) reader.se();
    }
  }
}

/** @returns whether the slice is deblocked */
function readDeblocking(reader: BitReader, pps: HevcPps): boolean {
  if (!pps.deblockingOverride || !reader.flag()) return !pps.deblockingDisabled;
  if (reader.flag()) return false;
  reader.se();
  reader.se();
  return true;
}

function skipEntryPoints(reader: BitReader): void {
  const count = reader.ue();
  if (count > MAX_ENTRY_POINTS) throw new MediaError('malformed', `${count} entry points in an HEVC slice`);
  if (count > 0) reader.skip(count * (reader.ue() + 1));
}
