import { MediaError } from '../errors.js';
import type { TrackId, VideoTrackConfig } from '../track-config.js';
import { parseAvcC } from './h264/decoder-configuration.js';
import { type H264Sps, parseH264Sps } from './h264/sps.js';

export * from './h264/decoder-configuration.js';
export * from './h264/nal-unit.js';
export * from './h264/sps.js';

const PROFILE_NAMES: Readonly<Record<number, string>> = {
  66: 'Baseline',
  77: 'Main',
  88: 'Extended',
  100: 'High',
  110: 'High 10',
  122: 'High 4:2:2',
  244: 'High 4:4:4 Predictive',
};
/** Profiles that tell level 1b by level_idc 11 and a flag; the others by level_idc 9. H.264 §A.3.4.1, §A.3.4.2 */
const FLAGGED_1B_PROFILES: ReadonlySet<number> = new Set([66, 77, 88]);
const CONSTRAINT_SET3 = 0x10;

/** @throws {MediaError} where the record or its SPS can't be read */
export function h264TrackConfig(track: TrackId, avcC: Buffer): VideoTrackConfig {
  const [first] = parseAvcC(avcC).sps;
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
    level: levelName(sps),
    ...(sps.frameRate === undefined ? {} : { frameRate: sps.frameRate }),
  };
}

function levelName({ profileIdc, constraintFlags, levelIdc }: H264Sps): string {
  const is1b = FLAGGED_1B_PROFILES.has(profileIdc)
    ? levelIdc === 11 && (constraintFlags & CONSTRAINT_SET3) !== 0
    : levelIdc === 9;
  return is1b ? '1b' : (levelIdc / 10).toFixed(1);
}
