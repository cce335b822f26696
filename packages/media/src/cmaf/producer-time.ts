import type { Millis } from '../time.js';
import { fullBox, u32, u64 } from './box.js';
import type { TrackRunHead } from './track-run.js';
import { boxTrackId } from './track-time.js';

/** From 1900, where NTP begins, to 1970. */
const NTP_EPOCH_SECONDS = 2_208_988_800;
const RANGE = 2 ** 32;
/** The wall clock belongs to the media in a way that is constant, but not told. ISO 14496-12 §8.16.5. */
const CONSISTENT_ASSOCIATION = 8;

/** A `prft` box: when, by the wall clock, the first sample of a run was live. ISO 14496-12 §8.16.5. */
export function producerTimeBox(
  { track, baseDecodeTime }: Pick<TrackRunHead, 'track' | 'baseDecodeTime'>,
  wallClock: Millis,
): Buffer {
  const seconds = Math.floor(wallClock / 1000);
  const fraction = Math.floor(((wallClock - seconds * 1000) * RANGE) / 1000);
  const ntp = u32((seconds + NTP_EPOCH_SECONDS) % RANGE, fraction);
  return fullBox('prft', 1, CONSISTENT_ASSOCIATION, u32(boxTrackId(track)), ntp, u64(baseDecodeTime));
}
