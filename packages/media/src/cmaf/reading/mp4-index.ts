import type { Sample } from '../../sample.js';
import { type Micros, micros } from '../../time.js';
import { microsFromTicks } from '../track-time.js';
import type { MovieTrack, UnsupportedTrack } from './movie-reader.js';
import { placeIn, type SampleColumns } from './sample-columns.js';
import { type SampleTrack, sampleAt } from './sample-place.js';

/**
 * A track of a file and where its samples are. `dts` count ticks from the track's own zero; what is presented when is
 * told by `mp4SampleTimes`, which takes the edit list (`skip`, `delay`) into account.
 */
export interface Mp4TrackIndex
  extends Pick<MovieTrack, 'config' | 'lengthSize' | 'timescale' | 'language' | 'name' | 'skip' | 'delay'>,
    SampleColumns {}

/** Bytes of a file: `end` is behind the last one. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Bytes between fragments that can't be read, and why. */
export interface Mp4Damage extends ByteRange {
  readonly reason: string;
}

/** What is in an MP4 file, and where. `scanMp4` finds it. */
export interface Mp4Index {
  /** In the order of the file. */
  readonly tracks: readonly Mp4TrackIndex[];
  /** Tracks that can't be read. */
  readonly unsupported: readonly UnsupportedTrack[];
  /** The samples are in fragments: the file grows, or a crash kept it from being finished. */
  readonly isFragmented: boolean;
  /**
   * Where the last whole fragment ends. What is behind it is a fragment that is still being written, or broke off. Of a
   * file without fragments, its length.
   */
  readonly end: number;
  /** Of fragmented files: stretches that were passed over, with fragments behind them that can be read. */
  readonly damage: readonly Mp4Damage[];
  /** The `moov` box. */
  readonly movie: ByteRange;
  /** The `free` box right in front of it, where there is one: room for the movie of the finished file. */
  readonly room: ByteRange | undefined;
}

/** When a sample is decoded and presented. */
export interface Mp4SampleTimes {
  readonly dts: Micros;
  readonly pts: Micros;
  /** When it has been presented. */
  readonly end: Micros;
}

/**
 * Times of a sample in the file's presentation, which begins at 0; with an edit list the first ones may be before it.
 *
 * @returns undefined behind the last sample
 */
export function mp4SampleTimes(track: Mp4TrackIndex, index: number): Mp4SampleTimes | undefined {
  const place = placeIn(track, index);
  if (place === undefined) return undefined;
  const { dts, compositionOffset, duration } = place;
  const time = presentationOf(track);
  return { dts: time(dts), pts: time(dts + compositionOffset), end: time(dts + compositionOffset + duration) };
}

/**
 * A sample of a track.
 *
 * @param bytes those of the sample: `track.sizes[index]` of the file, from `track.offsets[index]` on
 * @returns undefined behind the last sample, and for a sample without bytes
 * @throws {MediaError} `truncated` where there are fewer; where its NAL units or OBUs can't be read
 */
export function mp4Sample(track: Mp4TrackIndex, index: number, bytes: Buffer): Sample | undefined {
  const place = placeIn(track, index);
  return place === undefined ? undefined : sampleAt(track, place, bytes, place.offset);
}

/** How long a file plays, as players count it: from its time 0 to where its last picture or sound ends. */
export function mp4Duration({ tracks }: Pick<Mp4Index, 'tracks'>): Micros {
  const ends = tracks.map((track) => {
    const presented = presentedRange(track);
    return presented === undefined ? 0 : presentationOf(track)(presented.end);
  });
  return micros(Math.max(0, ...ends));
}

/**
 * From the first picture or sound of a track to where the last one ends, in ticks of its own; undefined where there is
 * none.
 */
export function presentedRange(columns: SampleColumns): { readonly start: number; readonly end: number } | undefined {
  const { count, dts, compositionOffsets, durations } = columns;
  if (count === 0) return undefined;
  let start = Number.POSITIVE_INFINITY;
  let end = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < count; index++) {
    const pts = (dts[index] ?? 0) + (compositionOffsets[index] ?? 0);
    start = Math.min(start, pts);
    end = Math.max(end, pts + (durations[index] ?? 0));
  }
  return { start, end };
}

function presentationOf({ timescale, skip, delay }: SampleTrack): (ticks: number) => Micros {
  return (ticks) => micros(microsFromTicks(ticks - skip, timescale) + delay);
}
