import { MediaError } from '../errors.js';
import type { TrackId, VideoTrackConfig } from '../track-config.js';
import { BitReader } from './bit-reader.js';
import { removeEmulationPrevention } from './nal.js';

/** NAL unit types, H.265 table 7-1. */
export const HEVC_NAL = { firstIrap: 16, lastIrap: 23, vps: 32, sps: 33, pps: 34, aud: 35, prefixSei: 39 } as const;

/** profile_tier_level() without sub-layers, H.265 §7.3.3. */
interface ProfileTierLevel {
  readonly profileSpace: number;
  readonly tier: number;
  readonly profileIdc: number;
  readonly compatibility: number;
  /** The 6 bytes between the compatibility flags and the level. */
  readonly constraints: Buffer;
  readonly levelIdc: number;
}

/** Values of an SPS that matter outside a decoder. H.265 §7.3.2.2. */
export interface HevcSps extends ProfileTierLevel {
  readonly maxSubLayers: number;
  readonly temporalIdNested: boolean;
  readonly chromaFormat: number;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
  /** In luma samples, cropped. */
  readonly width: number;
  readonly height: number;
}

/** HEVCDecoderConfigurationRecord, ISO 14496-15 §8.3.3.1. */
export interface HevcDecoderConfiguration {
  readonly lengthSize: number;
  readonly vps: readonly Buffer[];
  readonly sps: readonly Buffer[];
  readonly pps: readonly Buffer[];
}

const PROFILE_NAMES: Readonly<Record<number, string>> = {
  1: 'Main',
  2: 'Main 10',
  3: 'Main Still Picture',
  4: 'Range Extensions',
  9: 'Screen Content',
};

/** Bytes of the record before its arrays. */
const RECORD_HEADER = 23;

export function hevcNalType(unit: Buffer): number {
  return ((unit[0] ?? 0) >> 1) & 0x3f;
}

/** Whether an access unit is an intra random access point (IDR, CRA or BLA). */
export function isHevcKeyframe(units: readonly Buffer[]): boolean {
  return units.some((unit) => {
    const type = hevcNalType(unit);
    return type >= HEVC_NAL.firstIrap && type <= HEVC_NAL.lastIrap;
  });
}

/** @throws {MediaError} `malformed` or `truncated` */
export function parseHevcSps(unit: Buffer): HevcSps {
  const reader = new BitReader(removeEmulationPrevention(unit.subarray(2)));
  reader.skip(4); // sps_video_parameter_set_id
  const maxSubLayers = reader.bits(3) + 1;
  const temporalIdNested = reader.flag();
  const profile = readProfileTierLevel(reader, maxSubLayers);
  reader.ue(); // sps_seq_parameter_set_id
  const chromaFormat = reader.ue();
  if (chromaFormat > 3) throw new MediaError('malformed', `chroma format ${chromaFormat} in an HEVC SPS`);
  if (chromaFormat === 3) reader.skip(1);
  const codedWidth = reader.ue();
  const codedHeight = reader.ue();
  const window = reader.flag() ? [reader.ue(), reader.ue(), reader.ue(), reader.ue()] : [0, 0, 0, 0];
  const [left = 0, right = 0, top = 0, bottom = 0] = window;
  const bitDepthLuma = reader.ue() + 8;
  const bitDepthChroma = reader.ue() + 8;
  const width = codedWidth - (left + right) * (chromaFormat === 1 || chromaFormat === 2 ? 2 : 1);
  const height = codedHeight - (top + bottom) * (chromaFormat === 1 ? 2 : 1);
  if (width <= 0 || height <= 0)
    throw new MediaError('malformed', `an HEVC SPS crops its picture to ${width}x${height}`);
  return { ...profile, maxSubLayers, temporalIdNested, chromaFormat, bitDepthLuma, bitDepthChroma, width, height };
}

function readProfileTierLevel(reader: BitReader, maxSubLayers: number): ProfileTierLevel {
  const profileSpace = reader.bits(2);
  const tier = reader.bits(1);
  const profileIdc = reader.bits(5);
  const compatibility = reader.bits(32);
  const constraints = Buffer.from([1, 2, 3, 4, 5, 6].map(() => reader.bits(8)));
  const levelIdc = reader.bits(8);
  const present = [];
  for (let layer = 1; layer < maxSubLayers; layer++) present.push([reader.flag(), reader.flag()] as const);
  if (maxSubLayers > 1) reader.skip(2 * (9 - maxSubLayers));
  for (const [profile, level] of present) reader.skip((profile ? 88 : 0) + (level ? 8 : 0));
  return { profileSpace, tier, profileIdc, compatibility, constraints, levelIdc };
}

/** @throws {MediaError} `malformed` or `truncated` */
export function parseHvcC(description: Buffer): HevcDecoderConfiguration {
  if (description.length < RECORD_HEADER) throw new MediaError('truncated', `an hvcC of ${description.length} bytes`);
  const lengthSize = ((description[21] ?? 0) & 3) + 1;
  if (lengthSize === 3) throw new MediaError('malformed', 'an hvcC with NAL unit lengths of 3 bytes');
  const sets = new Map<number, Buffer[]>();
  let position = RECORD_HEADER;
  const take = (count: number): number => {
    if (position + count > description.length) throw new MediaError('truncated', 'an hvcC that ends inside an array');
    position += count;
    return position - count;
  };
  for (let arrays = description[22] ?? 0; arrays > 0; arrays--) {
    const at = take(3);
    const type = (description[at] ?? 0) & 0x3f;
    const units = sets.get(type) ?? [];
    sets.set(type, units);
    for (let count = description.readUInt16BE(at + 1); count > 0; count--) {
      const length = description.readUInt16BE(take(2));
      const start = take(length);
      units.push(description.subarray(start, start + length));
    }
  }
  const of = (type: number) => sets.get(type) ?? [];
  if (of(HEVC_NAL.sps).length === 0) throw new MediaError('malformed', 'an hvcC without an SPS');
  return { lengthSize, vps: of(HEVC_NAL.vps), sps: of(HEVC_NAL.sps), pps: of(HEVC_NAL.pps) };
}

/** An hvcC with 4-byte NAL unit lengths and complete parameter sets. */
export function buildHvcC(vps: readonly Buffer[], sps: readonly Buffer[], pps: readonly Buffer[]): Buffer {
  const [first] = sps;
  if (first === undefined) throw new MediaError('malformed', 'an hvcC needs an SPS');
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
  const arrays: [number, readonly Buffer[]][] = [
    [HEVC_NAL.vps, vps],
    [HEVC_NAL.sps, sps],
    [HEVC_NAL.pps, pps],
  ];
  const filled = arrays.filter(([, units]) => units.length > 0);
  header[22] = filled.length;
  const u16 = (value: number) => Buffer.from([value >> 8, value & 0xff]);
  return Buffer.concat([
    header,
    ...filled.flatMap(([type, units]) => [
      Buffer.from([0x80 | type]),
      u16(units.length),
      ...units.flatMap((unit) => [u16(unit.length), unit]),
    ]),
  ]);
}

/** @throws {MediaError} where the record or its SPS can't be read */
export function hevcTrackConfig(track: TrackId, hvcC: Buffer): VideoTrackConfig {
  const [first] = parseHvcC(hvcC).sps;
  if (first === undefined) throw new MediaError('malformed', 'an hvcC without an SPS');
  const sps = parseHevcSps(first);
  return {
    kind: 'video',
    track,
    codec: 'hevc',
    codecString: hevcCodecString(sps),
    description: hvcC,
    width: sps.width,
    height: sps.height,
    profile: PROFILE_NAMES[sps.profileIdc] ?? `profile ${sps.profileIdc}`,
    level: (sps.levelIdc / 30).toFixed(1),
  };
}

/** ISO 14496-15 Annex E.3: `hvc1.1.6.L93.B0`. */
function hevcCodecString(sps: HevcSps): string {
  const space = ['', 'A', 'B', 'C'][sps.profileSpace] ?? '';
  let reversed = 0;
  for (let bit = 0; bit < 32; bit++) reversed = (reversed << 1) | ((sps.compatibility >>> bit) & 1);
  const constraints = [...sps.constraints];
  while (constraints.at(-1) === 0) constraints.pop();
  const tail = constraints.map((byte) => `.${byte.toString(16).toUpperCase()}`).join('');
  const tier = sps.tier === 1 ? 'H' : 'L';
  return `hvc1.${space}${sps.profileIdc}.${(reversed >>> 0).toString(16).toUpperCase()}.${tier}${sps.levelIdc}${tail}`;
}
