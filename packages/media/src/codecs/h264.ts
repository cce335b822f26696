import { MediaError } from '../errors.js';
import type { TrackId, VideoTrackConfig } from '../track-config.js';
import { BitReader } from './bit-reader.js';
import { removeEmulationPrevention } from './nal.js';

/** NAL unit types, H.264 table 7-1. */
export const H264_NAL = { slice: 1, idr: 5, sei: 6, sps: 7, pps: 8, aud: 9, spsExtension: 13 } as const;

/** Values of an SPS that matter outside a decoder. H.264 §7.3.2.1. */
export interface H264Sps {
  readonly profileIdc: number;
  /** The byte between profile_idc and level_idc. */
  readonly constraintFlags: number;
  readonly levelIdc: number;
  /** In luma samples, cropped. */
  readonly width: number;
  readonly height: number;
  readonly frameRate?: number;
  /** 0: no B-frames are reordered. From the VUI, where given. */
  readonly maxNumReorderFrames?: number;
}

/** AVCDecoderConfigurationRecord, ISO 14496-15 §5.3.3.1. */
export interface AvcDecoderConfiguration {
  readonly profileIndication: number;
  readonly profileCompatibility: number;
  readonly levelIndication: number;
  readonly lengthSize: number;
  readonly sps: readonly Buffer[];
  readonly pps: readonly Buffer[];
}

/** Profiles whose SPS tells the chroma format, H.264 §7.3.2.1.1. */
const HIGH_PROFILES: ReadonlySet<number> = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);

const PROFILE_NAMES: Readonly<Record<number, string>> = {
  66: 'Baseline',
  77: 'Main',
  88: 'Extended',
  100: 'High',
  110: 'High 10',
  122: 'High 4:2:2',
  244: 'High 4:4:4 Predictive',
};

/** Bounds the work that a forged SPS can ask for; H.264 allows 255 (§7.4.2.1.1). */
const MAX_POC_CYCLE = 255;
const EXTENDED_SAR = 255;

export function h264NalType(unit: Buffer): number {
  return (unit[0] ?? 0) & 0x1f;
}

/** Whether an access unit can be decoded on its own. A recovery point without an IDR doesn't count. */
export function isH264Keyframe(units: readonly Buffer[]): boolean {
  return units.some((unit) => h264NalType(unit) === H264_NAL.idr);
}

/** @throws {MediaError} `malformed` or `truncated` */
export function parseH264Sps(unit: Buffer): H264Sps {
  const reader = new BitReader(removeEmulationPrevention(unit.subarray(1)));
  const profileIdc = reader.bits(8);
  const constraintFlags = reader.bits(8);
  const levelIdc = reader.bits(8);
  reader.ue(); // seq_parameter_set_id
  const chroma = HIGH_PROFILES.has(profileIdc) ? readChroma(reader) : { format: 1, separatePlanes: false };
  reader.ue(); // log2_max_frame_num_minus4
  skipPictureOrderCount(reader);
  reader.ue(); // max_num_ref_frames
  reader.skip(1); // gaps_in_frame_num_value_allowed_flag
  const widthInMacroblocks = reader.ue() + 1;
  const heightInMapUnits = reader.ue() + 1;
  const framesOnly = reader.flag();
  if (!framesOnly) reader.skip(1); // mb_adaptive_frame_field_flag
  reader.skip(1); // direct_8x8_inference_flag
  const fieldFactor = framesOnly ? 1 : 2;
  const crop = reader.flag() ? [reader.ue(), reader.ue(), reader.ue(), reader.ue()] : [0, 0, 0, 0];
  const [left = 0, right = 0, top = 0, bottom = 0] = crop;
  const isArray420 = chroma.format === 1 && !chroma.separatePlanes;
  const isArray422 = chroma.format === 2 && !chroma.separatePlanes;
  const cropUnitX = isArray420 || isArray422 ? 2 : 1;
  const cropUnitY = (isArray420 ? 2 : 1) * fieldFactor;
  const width = widthInMacroblocks * 16 - (left + right) * cropUnitX;
  const height = heightInMapUnits * 16 * fieldFactor - (top + bottom) * cropUnitY;
  if (width <= 0 || height <= 0)
    throw new MediaError('malformed', `an H.264 SPS crops its picture to ${width}x${height}`);
  return { profileIdc, constraintFlags, levelIdc, width, height, ...readVui(reader) };
}

function readChroma(reader: BitReader): { format: number; separatePlanes: boolean } {
  const format = reader.ue();
  const separatePlanes = format === 3 && reader.flag();
  reader.ue(); // bit_depth_luma_minus8
  reader.ue(); // bit_depth_chroma_minus8
  reader.skip(1); // qpprime_y_zero_transform_bypass_flag
  if (reader.flag()) {
    const lists = format === 3 ? 12 : 8;
    for (let list = 0; list < lists; list++) if (reader.flag()) skipScalingList(reader, list < 6 ? 16 : 64);
  }
  return { format, separatePlanes };
}

/** H.264 §7.3.2.1.1.1. */
function skipScalingList(reader: BitReader, size: number): void {
  let last = 8;
  let next = 8;
  for (let index = 0; index < size && next !== 0; index++) {
    next = (last + reader.se() + 256) % 256;
    if (next !== 0) last = next;
  }
}

function skipPictureOrderCount(reader: BitReader): void {
  const type = reader.ue();
  if (type === 0) reader.ue();
  if (type !== 1) return;
  reader.skip(1);
  reader.se();
  reader.se();
  const cycle = reader.ue();
  if (cycle > MAX_POC_CYCLE) throw new MediaError('malformed', `${cycle} reference frames in a picture order cycle`);
  for (let index = 0; index < cycle; index++) reader.se();
}

/** H.264 §E.1.1. Encoders cut it short now and then, which is no reason to refuse a stream. */
function readVui(reader: BitReader): { frameRate?: number; maxNumReorderFrames?: number } {
  const found: { frameRate?: number; maxNumReorderFrames?: number } = {};
  try {
    if (!reader.flag()) return found;
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
    if (reader.flag()) {
      const unitsInTick = reader.bits(32);
      const timeScale = reader.bits(32);
      reader.skip(1);
      const rate = timeScale / (2 * unitsInTick);
      if (Number.isFinite(rate) && rate > 0 && rate <= 1000) found.frameRate = rate;
    }
    const nalHrd = reader.flag();
    if (nalHrd) skipHrd(reader);
    const vclHrd = reader.flag();
    if (vclHrd) skipHrd(reader);
    if (nalHrd || vclHrd) reader.skip(1);
    reader.skip(1); // pic_struct_present_flag
    if (!reader.flag()) return found;
    reader.skip(1);
    for (let index = 0; index < 4; index++) reader.ue();
    found.maxNumReorderFrames = reader.ue();
    return found;
  } catch {
    return found;
  }
}

/** H.264 §E.1.2. */
function skipHrd(reader: BitReader): void {
  const count = reader.ue() + 1;
  if (count > 32) throw new MediaError('malformed', `${count} CPB descriptions in an H.264 SPS`);
  reader.skip(8);
  for (let index = 0; index < count; index++) {
    reader.ue();
    reader.ue();
    reader.skip(1);
  }
  reader.skip(20);
}

/** @throws {MediaError} `malformed` or `truncated` */
export function parseAvcC(description: Buffer): AvcDecoderConfiguration {
  if (description.length < 7) throw new MediaError('truncated', `an avcC of ${description.length} bytes`);
  if (description[0] !== 1) throw new MediaError('malformed', `avcC version ${description[0]}, 1 is known`);
  const lengthSize = ((description[4] ?? 0) & 3) + 1;
  if (lengthSize === 3) throw new MediaError('malformed', 'an avcC with NAL unit lengths of 3 bytes');
  const [sps, afterSps] = readParameterSets(description, 6, (description[5] ?? 0) & 0x1f);
  if (sps.length === 0) throw new MediaError('malformed', 'an avcC without an SPS');
  if (afterSps >= description.length) throw new MediaError('truncated', 'an avcC that ends before its PPS count');
  const [pps] = readParameterSets(description, afterSps + 1, description[afterSps] ?? 0);
  return {
    profileIndication: description[1] ?? 0,
    profileCompatibility: description[2] ?? 0,
    levelIndication: description[3] ?? 0,
    lengthSize,
    sps,
    pps,
  };
}

function readParameterSets(bytes: Buffer, from: number, count: number): [Buffer[], number] {
  const sets: Buffer[] = [];
  let position = from;
  for (let index = 0; index < count; index++) {
    if (position + 2 > bytes.length) throw new MediaError('truncated', 'a parameter set length is cut off');
    const length = bytes.readUInt16BE(position);
    position += 2;
    if (length === 0 || position + length > bytes.length) {
      throw new MediaError(
        'truncated',
        `a parameter set of ${length} bytes in ${bytes.length - position} that are left`,
      );
    }
    sets.push(bytes.subarray(position, position + length));
    position += length;
  }
  return [sets, position];
}

/** An avcC with 4-byte NAL unit lengths. */
export function buildAvcC(sps: readonly Buffer[], pps: readonly Buffer[]): Buffer {
  const [first] = sps;
  if (first === undefined || first.length < 4) throw new MediaError('malformed', 'an avcC needs an SPS');
  const withLength = (unit: Buffer) => [Buffer.from([unit.length >> 8, unit.length & 0xff]), unit];
  const parts = [
    Buffer.from([1, first[1] ?? 0, first[2] ?? 0, first[3] ?? 0, 0xff, 0xe0 | sps.length]),
    ...sps.flatMap(withLength),
    Buffer.from([pps.length]),
    ...pps.flatMap(withLength),
  ];
  const parsed = parseH264Sps(first);
  if (HIGH_PROFILES.has(parsed.profileIdc)) parts.push(highProfileExtension(first));
  return Buffer.concat(parts);
}

/** Chroma format and bit depths, which the record repeats for High profiles. ISO 14496-15 §5.3.3.1.2. */
function highProfileExtension(sps: Buffer): Buffer {
  const reader = new BitReader(removeEmulationPrevention(sps.subarray(4)));
  reader.ue();
  const format = reader.ue();
  if (format === 3) reader.skip(1);
  const lumaDepth = reader.ue();
  const chromaDepth = reader.ue();
  return Buffer.from([0xfc | (format & 3), 0xf8 | (lumaDepth & 7), 0xf8 | (chromaDepth & 7), 0]);
}

/** @throws {MediaError} where the record or its SPS can't be read */
export function h264TrackConfig(track: TrackId, avcC: Buffer): VideoTrackConfig {
  const record = parseAvcC(avcC);
  const [first] = record.sps;
  if (first === undefined) throw new MediaError('malformed', 'an avcC without an SPS');
  const sps = parseH264Sps(first);
  const hex = (value: number) => value.toString(16).padStart(2, '0');
  return {
    kind: 'video',
    track,
    codec: 'h264',
    codecString: `avc1.${hex(sps.profileIdc)}${hex(sps.constraintFlags)}${hex(sps.levelIdc)}`,
    description: avcC,
    width: sps.width,
    height: sps.height,
    profile: PROFILE_NAMES[sps.profileIdc] ?? `profile ${sps.profileIdc}`,
    level: (sps.levelIdc / 10).toFixed(1),
    ...(sps.frameRate === undefined ? {} : { frameRate: sps.frameRate }),
  };
}
