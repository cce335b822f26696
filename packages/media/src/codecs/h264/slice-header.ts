import { MediaError } from '../../errors.js';
import type { BitReader } from '../bit-reader.js';
import { sliceHeaderLength } from '../slice-reader.js';
import { parseAvcC } from './decoder-configuration.js';
import { H264_NAL, h264NalType } from './nal-unit.js';
import { type H264Pps, parseH264Pps } from './pps.js';
import { type H264Sps, parseH264Sps } from './sps.js';

/** slice_type modulo 5, H.264 table 7-6. */
const SLICE = { p: 0, b: 1, i: 2, sp: 3, si: 4 } as const;
const NAL_HEADER = 1;
/** Of a field's list, H.264 §7.4.3. */
const MAX_REFERENCES = 32;
/** Changes of lists and of marks end by themselves; a picture has no more references than this to change. */
const MAX_CHANGES = 66;
/** How many numbers follow each memory_management_control_operation, H.264 §7.3.3.3. */
const MARKING_OPERANDS: Readonly<Record<number, number>> = { 1: 1, 2: 1, 3: 2, 4: 1, 5: 0, 6: 1 };
const END_OF_LIST_CHANGES = 3;

interface Sets {
  readonly sps: H264Sps;
  readonly pps: H264Pps;
}

/** Finds where the headers of slices end, H.264 §7.3.3, with the parameter sets of the record and of the stream. */
export class H264SliceHeaders {
  readonly #sps = new Map<number, H264Sps>();
  readonly #pps = new Map<number, H264Pps>();

  /** @throws {MediaError} where the record or its parameter sets can't be read */
  constructor(avcC: Buffer) {
    const { sps, pps } = parseAvcC(avcC);
    for (const unit of [...sps, ...pps]) this.headerLength(unit);
  }

  /**
   * @param unit each of the stream's, in order
   * @returns bytes of a slice's NAL unit to the end of its header; undefined for what is no slice
   * @throws {MediaError} where the unit can't be read; `no-config` where its parameter sets are unknown
   */
  headerLength(unit: Buffer): number | undefined {
    const type = h264NalType(unit);
    switch (type) {
      case H264_NAL.sps: {
        const sps = parseH264Sps(unit);
        this.#sps.set(sps.sliceSyntax.spsId, sps);
        return undefined;
      }
      case H264_NAL.pps: {
        const pps = parseH264Pps(unit);
        this.#pps.set(pps.ppsId, pps);
        return undefined;
      }
      case H264_NAL.slice:
      case H264_NAL.idr:
        return sliceHeaderLength(unit, NAL_HEADER, (reader) => {
          this.#readHeader(reader, { isIdr: type === H264_NAL.idr, isReference: ((unit[0] ?? 0) & 0x60) !== 0 });
        });
      default:
        return undefined;
    }
  }

  #setsOf(ppsId: number): Sets {
    const pps = this.#pps.get(ppsId);
    const sps = pps === undefined ? undefined : this.#sps.get(pps.spsId);
    if (pps === undefined || sps === undefined) {
      throw new MediaError('no-config', `a slice of PPS ${ppsId}, which is unknown, or its SPS`);
    }
    return { sps, pps };
  }

  #readHeader(reader: BitReader, nal: { readonly isIdr: boolean; readonly isReference: boolean }): void {
    reader.ue(); // first_mb_in_slice
    const type = reader.ue() % 5;
    const { sps, pps } = this.#setsOf(reader.ue());
    const { sliceSyntax } = sps;
    if (sliceSyntax.separateColourPlanes) reader.skip(2);
    reader.skip(sliceSyntax.log2MaxFrameNum);
    const isField = !sliceSyntax.framesOnly && reader.flag();
    if (isField) reader.skip(1); // bottom_field_flag
    if (nal.isIdr) reader.ue(); // idr_pic_id
    skipPictureOrder(reader, { sps, pps }, isField);
    if (pps.redundantPictures) reader.ue();
    if (type === SLICE.b) reader.skip(1); // direct_spatial_mv_pred_flag
    const references = readReferences(reader, type, pps);
    if (type !== SLICE.i && type !== SLICE.si) skipListChanges(reader);
    if (type === SLICE.b) skipListChanges(reader);
    const isPredicted = type === SLICE.p || type === SLICE.sp;
    if ((pps.weightedPrediction && isPredicted) || (pps.weightedBiprediction === 1 && type === SLICE.b)) {
      skipWeights(reader, references, hasChroma(sps));
    }
    if (nal.isReference) skipMarking(reader, nal.isIdr);
    if (pps.cabac && type !== SLICE.i && type !== SLICE.si) reader.ue(); // cabac_init_idc
    reader.se(); // slice_qp_delta
    if (type === SLICE.sp) reader.skip(1); // sp_for_switch_flag
    if (type === SLICE.sp || type === SLICE.si) reader.se(); // slice_qs_delta
    if (pps.deblockingControl && reader.ue() !== 1) {
      reader.se();
      reader.se();
    }
  }
}

/** ChromaArrayType, H.264 §7.4.2.1.1. */
function hasChroma({ sampleFormat, sliceSyntax }: H264Sps): boolean {
  return !sliceSyntax.separateColourPlanes && sampleFormat?.chromaFormat !== 0;
}

function skipPictureOrder(reader: BitReader, { sps, pps }: Sets, isField: boolean): void {
  const { pictureOrder } = sps.sliceSyntax;
  const hasBottom = pps.bottomFieldOrder && !isField;
  if (pictureOrder.type === 0) reader.skip(pictureOrder.log2MaxLsb);
  else if (pictureOrder.type === 2 || pictureOrder.deltaAlwaysZero) return;
  else reader.se();
  if (hasBottom) reader.se();
}

/** @returns how many references each list of the slice has */
function readReferences(reader: BitReader, type: number, pps: H264Pps): readonly number[] {
  const lists = type === SLICE.b ? 2 : type === SLICE.i || type === SLICE.si ? 0 : 1;
  if (lists === 0) return [];
  const isOverridden = reader.flag();
  return pps.references.slice(0, lists).map((usual) => {
    const count = isOverridden ? reader.ue() + 1 : usual;
    if (count > MAX_REFERENCES) throw new MediaError('malformed', `${count} references in an H.264 slice`);
    return count;
  });
}

/** ref_pic_list_modification() of one list, H.264 §7.3.3.1. */
function skipListChanges(reader: BitReader): void {
  if (!reader.flag()) return;
  for (let change = 0; change < MAX_CHANGES; change++) {
    if (reader.ue() === END_OF_LIST_CHANGES) return;
    reader.ue();
  }
  throw new MediaError('malformed', `more than ${MAX_CHANGES} changes of a reference list in an H.264 slice`);
}

/** pred_weight_table(), H.264 §7.3.3.2. */
function skipWeights(reader: BitReader, references: readonly number[], chroma: boolean): void {
  reader.ue();
  if (chroma) reader.ue();
  for (const count of references) {
    for (let reference = 0; reference < count; reference++) {
      if (reader.flag()) for (let field = 0; field < 2; field++) reader.se();
      if (chroma && reader.flag()) for (let field = 0; field < 4; field++) reader.se();
    }
  }
}

/** dec_ref_pic_marking(), H.264 §7.3.3.3. */
function skipMarking(reader: BitReader, isIdr: boolean): void {
  if (isIdr) {
    reader.skip(2);
    return;
  }
  if (!reader.flag()) return;
  for (let change = 0; change < MAX_CHANGES; change++) {
    const operation = reader.ue();
    if (operation === 0) return;
    const operands = MARKING_OPERANDS[operation];
    if (operands === undefined) throw new MediaError('malformed', `reference marking ${operation} in an H.264 slice`);
    for (let operand = 0; operand < operands; operand++) reader.ue();
  }
  throw new MediaError('malformed', `more than ${MAX_CHANGES} reference markings in an H.264 slice`);
}
