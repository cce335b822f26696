import { MediaError } from '../errors.js';
import type { Micros } from '../time.js';
import type { TrackConfig } from '../track-config.js';
import { box, u32, u64 } from './box.js';
import { fileTypeBox } from './init-segment.js';
import { presentedRange } from './reading/mp4-index.js';
import type { SampleColumns } from './reading/sample-columns.js';
import { sampleTables } from './sample-table-boxes.js';
import { type Edit, movieHeader, type TrackDescription, trackBox } from './track-box.js';

/** A track with its samples, as an `Mp4Index` has it. */
export interface MovieTrackSamples extends SampleColumns, Omit<TrackDescription, 'protection'> {
  readonly config: TrackConfig;
  readonly timescale: number;
  /** Ticks at the beginning of the media that are decoded and not presented. */
  readonly skip: number;
  /** How long the presentation waits for the track. */
  readonly delay: Micros;
}

/** Milliseconds, where they tell exactly when each track begins. */
const USUAL_TIMESCALE = 1000;
const MICROS = 1_000_000;
const MAX_TIMESCALE = 2 ** 31;
/** Of an `mdat` box with a size of 64 bits. */
const LONG_HEADER = 16;
/** Brands of what isn't in fragments, and of what is or was. */
const BRANDS = ['isom', 'iso5', 'iso6', 'mp41'];

/** The `ftyp` box of a file that may be in fragments and may be finished. */
export const recordingTypeBox = (tracks: readonly TrackConfig[]): Buffer => fileTypeBox(BRANDS, tracks);

/**
 * The `moov` box of a file that isn't in fragments. Tables begin at 0: a track whose first sample is decoded later
 * begins with an empty edit, in ticks in which that is exact, so that sound and picture stay where they were. Tracks
 * without samples are left out, unless all of them are. ISO 14496-12 §8.2.1.
 *
 * @param shift is added to the samples' offsets
 * @throws {MediaError} where a configuration can't be read; `unsupported` without tracks; `malformed` for decoding
 *   times that tables can't tell
 */
export function movieBox(tracks: readonly MovieTrackSamples[], shift = 0): Buffer {
  const filled = tracks.filter(({ count }) => count > 0);
  const used = filled.length === 0 ? tracks : filled;
  if (used.length === 0) throw new MediaError('unsupported', 'a movie without tracks');
  const timescale = movieTimescale(used);
  const traks = used.map((track) => {
    const { edits, duration } = editsOf(track, timescale);
    const { boxes, duration: mediaDuration } = sampleTables(track.config, track, shift);
    const contents = { timescale: track.timescale, mediaDuration, duration, edits, tables: boxes };
    return { duration, bytes: trackBox(track.config, descriptionOf(track), contents) };
  });
  const duration = Math.max(...traks.map((trak) => trak.duration));
  const header = movieHeader(
    timescale,
    duration,
    used.map(({ config }) => config),
  );
  return box('moov', header, ...traks.map(({ bytes }) => bytes));
}

/**
 * All of a file that isn't in fragments but its data, with the `moov` in front: `ftyp`, `moov`, and the header of the
 * `mdat` box that the data follow.
 *
 * @param tracks their offsets count from the first byte of the data
 * @param dataLength in bytes
 * @throws {MediaError} as `movieBox`
 */
export function writeMp4Head(tracks: readonly MovieTrackSamples[], dataLength: number): Buffer {
  const type = recordingTypeBox(tracks.map(({ config }) => config));
  let movie = movieBox(tracks);
  for (let length = -1; length !== movie.length; ) {
    length = movie.length;
    movie = movieBox(tracks, type.length + length + LONG_HEADER);
  }
  return Buffer.concat([type, movie, longDataHeader(dataLength)]);
}

/** The header of an `mdat` box with a size of 64 bits. ISO 14496-12 §4.2. */
export function longDataHeader(dataLength: number): Buffer {
  return Buffer.concat([u32(1), Buffer.from('mdat', 'latin1'), u64(dataLength + LONG_HEADER)]);
}

/** The rate that people see is the mean one: now it is known. */
function descriptionOf(track: MovieTrackSamples): TrackDescription {
  const { config, language, name, size, timescale, sizes, dts, durations, count } = track;
  const ticks = (dts[count - 1] ?? 0) + (durations[count - 1] ?? 0) - (dts[0] ?? 0);
  const bits = sizes.reduce((sum, bytes) => sum + bytes, 0) * 8;
  const bitrate = ticks > 0 ? Math.min(Math.round((bits * timescale) / ticks), 0xffff_ffff) : undefined;
  const shown = size ?? (config.kind === 'video' ? { width: config.width, height: config.height } : undefined);
  return {
    ...(language === undefined ? {} : { language }),
    ...(name === undefined ? {} : { name }),
    ...(shown === undefined ? {} : { size: shown }),
    ...(bitrate === undefined ? {} : { bitrate }),
  };
}

/**
 * Where a track's presentation begins in its tables, in ticks, how many ticks it waits beside `delay`, and how many it
 * takes. It begins at the first picture: what would be presented before it is nothing, and ffmpeg takes an edit that
 * begins earlier for one that begins there.
 */
function presentationOf(track: MovieTrackSamples) {
  const { dts, skip } = track;
  const first = dts[0] ?? 0;
  const { start, end } = presentedRange(track) ?? { start: first, end: first };
  if (first === 0 && skip === 0 && track.delay === 0) return { mediaTime: 0, wait: 0, length: end };
  const from = Math.max(skip, start, first);
  return { mediaTime: from - first, wait: from - skip, length: Math.max(end - from, 0) };
}

/** The least in which every track's beginning is a whole number of ticks. */
function movieTimescale(tracks: readonly MovieTrackSamples[]): number {
  let timescale = USUAL_TIMESCALE;
  for (const track of tracks) {
    const { wait } = presentationOf(track);
    timescale = leastMultiple(timescale, track.timescale / greatestDivisor(wait, track.timescale));
    timescale = leastMultiple(timescale, MICROS / greatestDivisor(track.delay, MICROS));
    if (timescale > MAX_TIMESCALE) return MICROS;
  }
  return timescale;
}

const greatestDivisor = (a: number, b: number): number => (b === 0 ? a : greatestDivisor(b, a % b));
const leastMultiple = (a: number, b: number): number => (a / greatestDivisor(a, b)) * b;

/** ISO 14496-12 §8.6.6. */
function editsOf(track: MovieTrackSamples, timescale: number): { readonly edits: Edit[]; readonly duration: number } {
  const { mediaTime, wait, length: ticks } = presentationOf(track);
  const delay = scaled(track.delay, timescale, MICROS) + scaled(wait, timescale, track.timescale);
  const length = Math.ceil((ticks * timescale) / track.timescale);
  const duration = delay + length;
  if (!Number.isSafeInteger(duration)) {
    throw new MediaError('malformed', `track ${track.config.track} of ${ticks} ticks: tables can't tell this`);
  }
  if (mediaTime === 0 && delay === 0) return { edits: [], duration };
  const media = { duration: length, mediaTime };
  return { edits: delay === 0 ? [media] : [{ duration: delay, mediaTime: undefined }, media], duration };
}

/** Whole seconds are counted apart, so that it stays exact. */
function scaled(ticks: number, to: number, from: number): number {
  const seconds = Math.floor(ticks / from);
  return seconds * to + Math.round(((ticks - seconds * from) * to) / from);
}
