import type { BitReader } from './bit-reader.js';

/** The shape of a sample of the picture: its width to its height. */
export interface PixelAspect {
  readonly horizontal: number;
  readonly vertical: number;
}

/** What the values of samples mean, in the numbers of ISO 23091-2 (the same in H.264, H.265, AV1 and VP9). */
export interface ColourDescription {
  readonly primaries: number;
  readonly transfer: number;
  readonly matrix: number;
  readonly fullRange: boolean;
}

/** By aspect_ratio_idc, H.264 table E-1 and H.265 table E.1. */
const ASPECTS: readonly (readonly [horizontal: number, vertical: number] | undefined)[] = [
  undefined,
  [1, 1],
  [12, 11],
  [10, 11],
  [16, 11],
  [40, 33],
  [24, 11],
  [20, 11],
  [32, 11],
  [80, 33],
  [18, 11],
  [15, 11],
  [64, 33],
  [160, 99],
  [4, 3],
  [3, 2],
  [2, 1],
];
const EXTENDED_SAR = 255;

/** aspect_ratio_info of H.264 §E.1.1 and H.265 §E.2.1, its flag included. Undefined where nothing is said. */
export function readPixelAspect(reader: BitReader): PixelAspect | undefined {
  if (!reader.flag()) return undefined;
  const index = reader.bits(8);
  const [horizontal, vertical] =
    index === EXTENDED_SAR ? [reader.bits(16), reader.bits(16)] : (ASPECTS[index] ?? [0, 0]);
  return horizontal > 0 && vertical > 0 ? { horizontal, vertical } : undefined;
}

/** video_signal_type of H.264 §E.1.1 and H.265 §E.2.1, its flag included. Undefined where it tells no colours. */
export function readVideoSignal(reader: BitReader): ColourDescription | undefined {
  if (!reader.flag()) return undefined;
  reader.skip(3); // video_format
  const fullRange = reader.flag();
  if (!reader.flag()) return undefined;
  return { primaries: reader.bits(8), transfer: reader.bits(8), matrix: reader.bits(8), fullRange };
}
