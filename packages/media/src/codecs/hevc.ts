import { MediaError } from '../errors.js';
import type { TrackId, VideoTrackConfig } from '../track-config.js';
import { parseHvcC } from './hevc/decoder-configuration.js';
import { type HevcSps, parseHevcSps } from './hevc/sps.js';

export * from './hevc/decoder-configuration.js';
export * from './hevc/nal-unit.js';
export * from './hevc/sps.js';

const PROFILE_NAMES: Readonly<Record<number, string>> = {
  1: 'Main',
  2: 'Main 10',
  3: 'Main Still Picture',
  4: 'Range Extensions',
  9: 'Screen Content',
};
const PROFILE_SPACES = ['', 'A', 'B', 'C'] as const;

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
    ...(sps.frameRate === undefined ? {} : { frameRate: sps.frameRate }),
  };
}

/** ISO 14496-15 Annex E.3: `hvc1.1.6.L93.B0`. */
function hevcCodecString(sps: HevcSps): string {
  const space = PROFILE_SPACES[sps.profileSpace] ?? '';
  let reversed = 0;
  for (let bit = 0; bit < 32; bit++) reversed = (reversed << 1) | ((sps.compatibility >>> bit) & 1);
  const hex = (value: number) => value.toString(16).toUpperCase();
  const constraints = [...sps.constraints];
  while (constraints.at(-1) === 0) constraints.pop();
  const tail = constraints.map((byte) => `.${hex(byte)}`).join('');
  return `hvc1.${space}${sps.profileIdc}.${hex(reversed >>> 0)}.${sps.tier === 1 ? 'H' : 'L'}${sps.levelIdc}${tail}`;
}
