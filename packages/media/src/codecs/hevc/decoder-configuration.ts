import { MediaError } from '../../errors.js';
import { parameterSetAt, withLength } from '../parameter-set.js';
import { HEVC_NAL } from './nal-unit.js';
import { parseHevcSps } from './sps.js';

/** HEVCDecoderConfigurationRecord, ISO 14496-15 §8.3.3.1. */
export interface HevcDecoderConfiguration {
  readonly lengthSize: number;
  readonly vps: readonly Buffer[];
  readonly sps: readonly Buffer[];
  readonly pps: readonly Buffer[];
}

/** Bytes of the record before its arrays. */
const RECORD_HEADER = 23;
/** A decoder keeps 16 VPS, 16 SPS and 64 PPS (H.265 §7.4.3); the rest is room for SEI. */
const MAX_UNITS = 256;

/** @throws {MediaError} `malformed`, `truncated` or `too-large` */
export function parseHvcC(description: Buffer): HevcDecoderConfiguration {
  if (description.length < RECORD_HEADER) throw new MediaError('truncated', `an hvcC of ${description.length} bytes`);
  // Version 0 is that of drafts, which encoders still write.
  const version = description[0] ?? 0;
  if (version > 1) throw new MediaError('malformed', `hvcC version ${version}, 0 and 1 are known`);
  const lengthSize = ((description[21] ?? 0) & 3) + 1;
  if (lengthSize === 3) throw new MediaError('malformed', 'an hvcC with NAL unit lengths of 3 bytes');
  const units: Record<'vps' | 'sps' | 'pps', Buffer[]> = { vps: [], sps: [], pps: [] };
  const keptByType = new Map<number, Buffer[]>([
    [HEVC_NAL.vps, units.vps],
    [HEVC_NAL.sps, units.sps],
    [HEVC_NAL.pps, units.pps],
  ]);
  let position = RECORD_HEADER;
  let total = 0;
  for (let arrays = description[22] ?? 0; arrays > 0; arrays--) {
    if (position + 3 > description.length) throw new MediaError('truncated', 'an hvcC that ends inside an array');
    const kept = keptByType.get((description[position] ?? 0) & 0x3f);
    const count = description.readUInt16BE(position + 1);
    position += 3;
    total += count;
    if (total > MAX_UNITS) throw new MediaError('too-large', `an hvcC of more than ${MAX_UNITS} NAL units`);
    for (let index = 0; index < count; index++) {
      const unit = parameterSetAt(description, position);
      kept?.push(unit);
      position += 2 + unit.length;
    }
  }
  if (units.sps.length === 0) throw new MediaError('malformed', 'an hvcC without an SPS');
  return { lengthSize, ...units };
}

/**
 * An hvcC with 4-byte NAL unit lengths and complete parameter sets.
 *
 * @throws {MediaError} where there is no SPS or it can't be read, `too-large` where the record can't hold the sets
 */
export function buildHvcC(vps: readonly Buffer[], sps: readonly Buffer[], pps: readonly Buffer[]): Buffer {
  const [first] = sps;
  if (first === undefined) throw new MediaError('malformed', 'an hvcC needs an SPS');
  const total = vps.length + sps.length + pps.length;
  if (total > MAX_UNITS) throw new MediaError('too-large', `${total} parameter sets for an hvcC, ${MAX_UNITS} at most`);
  const values = parseHevcSps(first);
  const header = Buffer.alloc(RECORD_HEADER);
  header[0] = 1;
  header[1] = (values.profileSpace << 6) | (values.tier << 5) | values.profileIdc;
  header.writeUInt32BE(values.compatibility, 2);
  values.constraints.copy(header, 6);
  header[12] = values.levelIdc;
  header.writeUInt16BE(0xf000, 13); // min_spatial_segmentation_idc: unknown
  header[15] = 0xfc; // parallelismType: unknown
  header[16] = 0xfc | values.chromaFormat;
  header[17] = 0xf8 | (values.bitDepthLuma - 8);
  header[18] = 0xf8 | (values.bitDepthChroma - 8);
  header[21] = (values.maxSubLayers << 3) | (values.temporalIdNested ? 4 : 0) | 3;
  const arrays = [
    ...completeArray(HEVC_NAL.vps, vps),
    ...completeArray(HEVC_NAL.sps, sps),
    ...completeArray(HEVC_NAL.pps, pps),
  ];
  header[22] = [vps, sps, pps].filter((units) => units.length > 0).length;
  return Buffer.concat([header, ...arrays]);
}

/** The first bit of an array says that no more of its kind come in-band. */
function completeArray(type: number, units: readonly Buffer[]): Buffer[] {
  if (units.length === 0) return [];
  return [Buffer.from([0x80 | type, units.length >> 8, units.length & 0xff]), ...units.flatMap(withLength)];
}
