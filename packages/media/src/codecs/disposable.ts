import type { VideoCodec } from '../track-config.js';
import { h264NalType } from './h264/nal-unit.js';
import { hevcNalType } from './hevc/nal-unit.js';

const LENGTH_BYTES = 4;
/** H.265 table 7-1: below it, even types are of pictures that no other one refers to. */
const HEVC_FIRST_RESERVED = 16;
const H264_LAST_SLICE = 5;

/**
 * Whether a picture can be left out without harm to another one: H.264 §7.4.1 (`nal_ref_idc` is 0), H.265 table 7-1.
 *
 * @param sample NAL units behind lengths of four bytes; one that can't be read is taken for needed
 */
export function isDisposable(codec: VideoCodec, sample: Buffer): boolean {
  if (codec !== 'h264' && codec !== 'hevc') return false;
  let slices = 0;
  for (let at = 0; at + LENGTH_BYTES < sample.length; ) {
    const unit = sample.subarray(at + LENGTH_BYTES, at + LENGTH_BYTES + sample.readUInt32BE(at));
    if (unit.length === 0) return false;
    at += LENGTH_BYTES + unit.length;
    const isNeeded = codec === 'h264' ? isNeededH264(unit) : isNeededHevc(unit);
    if (isNeeded === true) return false;
    if (isNeeded === false) slices += 1;
  }
  return slices > 0;
}

/** @returns undefined for what isn't a slice */
function isNeededH264(unit: Buffer): boolean | undefined {
  const type = h264NalType(unit);
  return type === 0 || type > H264_LAST_SLICE ? undefined : ((unit[0] ?? 0) & 0x60) !== 0;
}

function isNeededHevc(unit: Buffer): boolean | undefined {
  const type = hevcNalType(unit);
  if (type >= 32) return undefined;
  return type >= HEVC_FIRST_RESERVED || type % 2 === 1;
}
