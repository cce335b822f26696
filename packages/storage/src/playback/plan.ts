import {
  type LiveRange,
  liveTimeAt,
  mediaTimeAt,
  type RecordedClip,
  type RecordedFile,
  RecordingError,
  type StreamPath,
} from '@sluice/core';
import {
  type Micros,
  micros,
  microsFromTicks,
  sameTrackConfig,
  type TrackConfig,
  ticksFromMicros,
} from '@sluice/media';
import type { MediaTrack, RecordedMedia } from './recorded-media.js';

/** A stretch of a track, in samples. */
export interface PlannedTrack {
  readonly first: number;
  /** Not included. */
  readonly end: number;
  /** What its ticks in the file are moved by, onto the clip's timeline. */
  readonly shift: number;
}

/** What a clip takes from a file. */
export interface PlannedFile {
  readonly file: RecordedFile;
  /** In the order of the media's tracks. */
  readonly tracks: readonly PlannedTrack[];
}

/** Which samples a clip is made of. */
export interface Plan extends Pick<RecordedClip, 'start' | 'duration' | 'missing' | 'ends'> {
  readonly configs: readonly TrackConfig[];
  /** How much later the first picture is presented than it is decoded: where the picture's edit begins. */
  readonly reordering: Micros;
  readonly files: readonly PlannedFile[];
}

/** Live time between files that is only the clocks' imprecision, in ms. */
const SEAM_MS = 1000;
/** What follows this closely, in µs, follows at once. */
const JOINED_MICROS = 2000;

/** How far the clip has come. */
interface Line {
  readonly configs: readonly TrackConfig[];
  /** Of each track, in ticks of the clip's timeline. */
  readonly ends: readonly (number | undefined)[];
}

/**
 * Chooses the samples of a live time: from the keyframe at or before its start, which is at 0, over files to its end
 * or to where other codecs begin. Time that is missing between files is passed over.
 *
 * @param files that can be played, the oldest first
 * @throws {RecordingError} `not-recorded` where nothing is in them, and as `load`
 */
export async function planClip(
  path: StreamPath,
  range: LiveRange,
  files: readonly RecordedFile[],
  load: (file: RecordedFile) => Promise<RecordedMedia>,
): Promise<Plan> {
  const planned: PlannedFile[] = [];
  let line: Line | undefined;
  let [start, liveEnd, duration] = [0, 0, 0];
  let reordering = micros(0);
  let isCut = false;
  for (const file of files) {
    const media = await load(file);
    const stretch = stretchOf(media, range, line === undefined);
    if (stretch === undefined) continue;
    const { clock, first } = stretch;
    const configs = media.tracks.map(({ index }) => index.config);
    if (line !== undefined && !areSame(configs, line.configs)) {
      isCut = true;
      break;
    }
    if (line === undefined) {
      start = liveTimeAt(file, clock.dts(first) / 1000);
      reordering = micros(Math.max(0, clock.pts(first) - clock.dts(first)));
    }
    const offset = offsetOf(media, stretch, line);
    const tracks = shifted(media, stretch, { offset, line });
    planned.push({ file, tracks });
    line = { configs, ends: media.tracks.map((track, at) => endOf(track, tracks[at]) ?? line?.ends[at]) };
    const last = stretch.end - 1;
    liveEnd = liveTimeAt(file, clock.dts(last) / 1000) + (clock.end(last) - clock.dts(last)) / 1000;
    duration = (clock.end(last) + offset) / 1000;
  }
  if (line === undefined) throw new RecordingError('not-recorded', `no picture of ${path} is recorded at that time`);
  const ends = isCut ? 'codec-change' : liveEnd < range.to - SEAM_MS ? 'no-more' : 'as-asked';
  const missing = Math.max(0, Math.round(liveEnd - start - duration));
  return { configs: line.configs, reordering, files: planned, start, duration, missing, ends };
}

interface Stretch {
  readonly clock: MediaTrack;
  /** Samples of the clock. */
  readonly first: number;
  readonly end: number;
  /** Of all tracks. */
  readonly ranges: readonly Pick<PlannedTrack, 'first' | 'end'>[];
}

/** Which samples of a file are in a live time; undefined where none are. */
function stretchOf(media: RecordedMedia, range: LiveRange, isFirst: boolean): Stretch | undefined {
  const { clock, file } = media;
  if (clock === undefined) return undefined;
  const from = mediaTimeAt(file, range.from) * 1000;
  const to = mediaTimeAt(file, range.to) * 1000;
  if (media.isOver(from)) return undefined;
  const first =
    (isFirst ? clock.keyframeUpTo(from) : undefined) ?? clock.keyframeFrom(isFirst ? clock.atOrAfter(from) : 0);
  const end = clock.atOrAfter(to);
  if (first === undefined || first >= end) return undefined;
  // Sound that would be heard before the first picture is left out; between files none is.
  const soundFrom = isFirst ? clock.pts(first) : Number.NEGATIVE_INFINITY;
  const soundTo = end === clock.count ? Number.POSITIVE_INFINITY : clock.dts(end);
  const ranges = media.tracks.map((track) =>
    track === clock ? { first, end } : { first: track.atOrAfter(soundFrom), end: track.atOrAfter(soundTo) },
  );
  return { clock, first, end, ranges };
}

/**
 * What times in a file are moved by: so that its first picture is at 0, or so that no track begins before its part of
 * the files before has ended. Tracks of a file are moved together.
 */
function offsetOf(media: RecordedMedia, { clock, first, ranges }: Stretch, line: Line | undefined): number {
  if (line === undefined) return -clock.dts(first);
  return media.tracks.reduce((offset, track, at) => {
    const [range, end] = [ranges[at], line.ends[at]];
    if (range === undefined || range.first >= range.end || end === undefined) return offset;
    return Math.max(offset, microsFromTicks(end, track.index.timescale) - track.dts(range.first));
  }, Number.NEGATIVE_INFINITY);
}

function shifted(
  media: RecordedMedia,
  { ranges }: Stretch,
  { offset, line }: { offset: number; line: Line | undefined },
): PlannedTrack[] {
  return media.tracks.map((track, at) => {
    const { first, end } = ranges[at] ?? { first: 0, end: 0 };
    const { timescale, dts } = track.index;
    const begins = ticksFromMicros(micros(track.dts(first) + offset), timescale);
    const before = line?.ends[at];
    const follows = before !== undefined && Math.abs(before - begins) * 1_000_000 <= JOINED_MICROS * timescale;
    return { first, end, shift: (follows ? before : begins) - (dts[first] ?? 0) };
  });
}

function endOf({ index }: MediaTrack, planned: PlannedTrack | undefined): number | undefined {
  if (planned === undefined || planned.first >= planned.end) return undefined;
  const last = planned.end - 1;
  return (index.dts[last] ?? 0) + (index.durations[last] ?? 0) + planned.shift;
}

/** Whether a decoder can go from the one to the other. */
export function areSame(a: readonly TrackConfig[], b: readonly TrackConfig[]): boolean {
  return a.length === b.length && a.every((config, at) => sameAs(config, b[at]));
}

function sameAs(config: TrackConfig, other: TrackConfig | undefined): boolean {
  return other !== undefined && sameTrackConfig(config, other);
}
