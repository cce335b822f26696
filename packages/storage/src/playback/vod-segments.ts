import { type LiveRange, liveTimeAt, mediaTimeAt, type RecordedFile } from '@sluice/core';
import { type Micros, micros, type TrackConfig, ticksFromMicros } from '@sluice/media';
import { areSame, type PlannedTrack } from './plan.js';
import type { MediaTrack, RecordedMedia } from './recorded-media.js';

/** A segment of a playlist. */
export interface VodSegment {
  readonly file: string;
  /** Samples of the file's clock. */
  readonly first: number;
  /** Not included. */
  readonly end: number;
  /** Where the file's first sample is on the playlist's timeline. */
  readonly offset: Micros;
  readonly duration: Micros;
  /** When its first picture was live, in ms. */
  readonly live: number;
  /** Live time is missing before it, or other codecs begin. */
  readonly isDiscontinuous: boolean;
  /** The file of whose kind its tracks are. */
  readonly init: string;
}

/** As long as segments are, in µs, if keyframes come often enough. */
export const SEGMENT_MICROS = 6_000_000;
/** Live time between segments that is only the clocks' imprecision, in ms. */
const SEAM_MS = 1000;
/** The keyframe behind a gap may be so far from where the gap was noted, in µs. */
const GAP_MICROS = 50_000;
/** When so much has come after a picture, its sound has come, too. In µs. */
const SETTLED_MICROS = 10_000_000;

interface Line {
  readonly init: string;
  readonly configs: readonly TrackConfig[];
  /** By kind of track, where it ends on the timeline. */
  readonly ends: ReadonlyMap<TrackConfig['kind'], number>;
  readonly liveEnd: number;
}

/** Cuts what is recorded into segments, at keyframes, file by file. */
export class VodCutter {
  readonly #range: LiveRange;
  readonly segments: VodSegment[] = [];
  #line: Line | undefined;

  constructor(range: LiveRange) {
    this.#range = range;
  }

  /** Adds what a file has. Of a growing file that is what doesn't change any more. */
  add(media: RecordedMedia): void {
    const { file, clock } = media;
    if (clock === undefined) return;
    const from = mediaTimeAt(file, this.#range.from) * 1000;
    const until = clock.atOrAfter(mediaTimeAt(file, this.#range.to) * 1000);
    if (media.isOver(from)) return;
    const line = this.#line;
    const first =
      (line === undefined ? clock.keyframeUpTo(from) : undefined) ?? clock.keyframeFrom(clock.atOrAfter(from));
    if (first === undefined || first >= until) return;
    const configs = media.tracks.map(({ index }) => index.config);
    const isSame = line !== undefined && areSame(line.configs, configs);
    const init = isSame ? line.init : file.id;
    const offset = this.#offsetOf(media, first);
    let begins = first;
    for (const end of cutsOf(media, first, until)) {
      const live = liveAt(file, clock.dts(begins));
      const before = this.#line;
      this.segments.push({
        file: file.id,
        first: begins,
        end,
        offset,
        duration: micros(clock.end(end - 1) - clock.dts(begins)),
        live,
        isDiscontinuous:
          before !== undefined && (Math.abs(live - before.liveEnd) > SEAM_MS || (begins === first && !isSame)),
        init,
      });
      const liveEnd = live + (clock.end(end - 1) - clock.dts(begins)) / 1000;
      this.#line = { init, configs, liveEnd, ends: endsOf(media, end, offset) };
      begins = end;
    }
  }

  /** No track begins before those of its kind have ended. */
  #offsetOf({ tracks, clock }: RecordedMedia, first: number): Micros {
    const line = this.#line;
    const begins = clock?.dts(first) ?? 0;
    // Sound may begin before the picture at the beginning of a file, and nothing may be before 0.
    if (line === undefined) return micros(first === 0 ? 0 : -begins);
    const offsets = tracks.flatMap((track) => {
      const end = line.ends.get(track.index.config.kind);
      const at = track === clock ? first : first === 0 ? 0 : track.atOrAfter(begins);
      return end === undefined || at >= track.count ? [] : [end - track.dts(at)];
    });
    return micros(offsets.length === 0 ? Math.max(0, ...line.ends.values()) - begins : Math.max(...offsets));
  }
}

/** Where segments end, in samples of the clock. */
function* cutsOf(media: RecordedMedia, first: number, until: number): Generator<number> {
  const { clock, file } = media;
  if (clock === undefined) return;
  let start = clock.dts(first);
  for (let sample = clock.keyframeFrom(first + 1); sample !== undefined && sample < until; ) {
    const time = clock.dts(sample);
    const isBehindGap = file.gaps.some(({ at }) => at * 1000 > start + GAP_MICROS && at * 1000 - GAP_MICROS <= time);
    if (time - start >= SEGMENT_MICROS || isBehindGap) {
      if (!isSettled(media, time)) return;
      yield sample;
      start = time;
    }
    sample = clock.keyframeFrom(sample + 1);
  }
  const isEnd = until === clock.count;
  if (!isEnd ? isSettled(media, clock.dts(until)) : file.state !== 'writing') yield until;
}

/** Whether nothing before a time comes any more. */
function isSettled({ file, tracks, end }: RecordedMedia, time: number): boolean {
  if (file.state !== 'writing' || end - time > SETTLED_MICROS) return true;
  return tracks.every((track) => track.dts(track.count - 1) >= time);
}

/** The live time of a picture; of one right at a gap, that after it. */
function liveAt(file: RecordedFile, time: number): number {
  const gap = file.gaps.find(({ at }) => Math.abs(at * 1000 - time) <= GAP_MICROS);
  return liveTimeAt(file, gap === undefined ? time / 1000 : Math.max(gap.at, time / 1000));
}

function endsOf(media: RecordedMedia, end: number, offset: number): Line['ends'] {
  const { clock, tracks } = media;
  const isEnd = clock === undefined || end === clock.count;
  const ends = new Map<TrackConfig['kind'], number>();
  for (const track of tracks) {
    const last = lastBefore(track, isEnd ? undefined : clock.dts(end));
    const { kind } = track.index.config;
    if (last >= 0) ends.set(kind, Math.max(ends.get(kind) ?? 0, track.end(last) + offset));
  }
  return ends;
}

/** The tracks that HLS is made of: the first of each kind, since players take no more of them out of one segment. */
export function hlsTracks({ tracks }: RecordedMedia): MediaTrack[] {
  return tracks.filter(({ isVideo }, at) => tracks.findIndex((track) => track.isVideo === isVideo) === at);
}

/** The samples of all tracks of a segment, by those of the clock. None of tracks that HLS leaves out. */
export function segmentTracks(
  media: RecordedMedia,
  { first, end, offset }: Pick<VodSegment, 'first' | 'end'> & { offset: number },
): PlannedTrack[] {
  const { clock, tracks } = media;
  const played = hlsTracks(media);
  return tracks.map((track) => {
    if (!played.includes(track)) return { first: 0, end: 0, shift: 0 };
    const { timescale, dts } = track.index;
    const shift = ticksFromMicros(micros(track.dts(0) + offset), timescale) - (dts[0] ?? 0);
    if (track === clock || clock === undefined) return { first, end, shift };
    const from = first === 0 ? 0 : track.atOrAfter(clock.dts(first));
    return { first: from, end: end >= clock.count ? track.count : track.atOrAfter(clock.dts(end)), shift };
  });
}

const lastBefore = (track: MediaTrack, time: number | undefined): number =>
  (time === undefined ? track.count : track.atOrAfter(time)) - 1;
