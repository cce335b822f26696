import { type TrackRunHead, writeFragmentHead } from '@sluice/media';
import type { PlannedTrack } from './plan.js';
import type { MediaTrack, RecordedMedia } from './recorded-media.js';

/** Bytes of an answer: those that were made, or a stretch of a file. */
export type Piece = Buffer | { readonly offset: number; readonly length: number };

export const lengthOf = (piece: Piece): number => piece.length;

/** A fragment that takes less media than this isn't worth its head, in µs. */
const SHORTEST_MICROS = 1_000_000;
/** It ends here even without a keyframe. */
const LONGEST_MICROS = 4_000_000;

/** Cuts what is planned of a file into stretches of a few seconds, each of all tracks, where keyframes allow at those. */
export function* windowsOf(media: RecordedMedia, planned: readonly PlannedTrack[]): Generator<PlannedTrack[]> {
  const { clock, tracks } = media;
  const place = clock === undefined ? -1 : tracks.indexOf(clock);
  const whole = planned[place];
  if (clock === undefined || whole === undefined) return;
  const from = planned.map(({ first }) => first);
  for (let first = whole.first; first < whole.end; ) {
    const end = windowEnd(clock, first, whole.end);
    const isLast = end === whole.end;
    const window = planned.map((track, at): PlannedTrack => {
      const until = isLast ? track.end : at === place ? end : (tracks[at]?.atOrAfter(clock.dts(end)) ?? track.end);
      const begins = from[at] ?? track.first;
      const ends = Math.min(Math.max(until, begins), track.end);
      from[at] = ends;
      return { first: begins, end: ends, shift: track.shift };
    });
    yield window;
    first = end;
  }
}

function windowEnd(clock: MediaTrack, first: number, end: number): number {
  const start = clock.dts(first);
  for (let sample = first + 1; sample < end; sample++) {
    const length = clock.dts(sample) - start;
    if (length >= LONGEST_MICROS || (length >= SHORTEST_MICROS && clock.isKeyframe(sample))) return sample;
  }
  return end;
}

/** A fragment of some samples: its head, and where its data are in the file. */
export function fragmentOf(
  media: RecordedMedia,
  planned: readonly PlannedTrack[],
  { sequence, begins }: { sequence: number; begins?: 'segment' },
): Piece[] {
  const filled = media.tracks.flatMap((track, at) => {
    const stretch = planned[at];
    return stretch === undefined || stretch.first >= stretch.end ? [] : [{ track, stretch }];
  });
  if (filled.length === 0) return [];
  const runs = filled.map(({ track, stretch }) => runOf(track, stretch));
  const { head } = writeFragmentHead(runs, { sequence, ...(begins === undefined ? {} : { begins }) });
  return [head, ...filled.flatMap(({ track, stretch }) => dataOf(track, stretch))];
}

function runOf({ index }: MediaTrack, { first, end, shift }: PlannedTrack): TrackRunHead {
  const { config, timescale } = index;
  const samples = Array.from({ length: end - first }, (_, at) => ({
    data: { length: index.sizes[first + at] ?? 0 },
    duration: index.durations[first + at] ?? 0,
    compositionOffset: index.compositionOffsets[first + at] ?? 0,
    keyframe: config.kind === 'audio' || index.keyframes[first + at] === 1,
  }));
  const { track, kind } = config;
  return { track, kind, timescale, baseDecodeTime: (index.dts[first] ?? 0) + shift, samples };
}

/** Where samples are in their file; what lies together is one stretch. */
export function dataOf({ index }: MediaTrack, { first, end }: Pick<PlannedTrack, 'first' | 'end'>): Piece[] {
  const pieces: { offset: number; length: number }[] = [];
  for (let sample = first; sample < end; sample++) {
    const [offset = 0, length = 0] = [index.offsets[sample], index.sizes[sample]];
    const last = pieces.at(-1);
    if (last !== undefined && last.offset + last.length === offset) last.length += length;
    else pieces.push({ offset, length });
  }
  return pieces;
}
