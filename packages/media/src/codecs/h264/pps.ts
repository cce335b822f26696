import { MediaError } from '../../errors.js';
import { BitReader } from '../bit-reader.js';
import { removeEmulationPrevention } from '../nal.js';

/** Values of a PPS on which the syntax of slice headers depends. H.264 §7.3.2.2. */
export interface H264Pps {
  readonly ppsId: number;
  readonly spsId: number;
  readonly cabac: boolean;
  readonly bottomFieldOrder: boolean;
  /** Usual numbers of references in both lists. */
  readonly references: readonly [list0: number, list1: number];
  readonly weightedPrediction: boolean;
  readonly weightedBiprediction: number;
  readonly deblockingControl: boolean;
  readonly redundantPictures: boolean;
}

/** @throws {MediaError} `malformed` or `truncated`; `unsupported` for slice groups, which no encoder of today writes */
export function parseH264Pps(unit: Buffer): H264Pps {
  const reader = new BitReader(removeEmulationPrevention(unit.subarray(1)));
  const ppsId = reader.ue();
  const spsId = reader.ue();
  const cabac = reader.flag();
  const bottomFieldOrder = reader.flag();
  if (reader.ue() > 0) throw new MediaError('unsupported', 'an H.264 PPS with slice groups');
  const references = [reader.ue() + 1, reader.ue() + 1] as const;
  const weightedPrediction = reader.flag();
  const weightedBiprediction = reader.bits(2);
  for (let field = 0; field < 3; field++) reader.se(); // initial quantisers and the offset of chroma
  const deblockingControl = reader.flag();
  reader.skip(1); // constrained_intra_pred_flag
  const redundantPictures = reader.flag();
  return {
    ...{ ppsId, spsId, cabac, bottomFieldOrder, references, weightedPrediction, weightedBiprediction },
    ...{ deblockingControl, redundantPictures },
  };
}
