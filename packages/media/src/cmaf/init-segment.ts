import { MediaError } from '../errors.js';
import { type Micros, micros } from '../time.js';
import type { TrackConfig, TrackId } from '../track-config.js';
import { box, fullBox, latin1, u32 } from './box.js';
import { type Protection, protectionBox } from './encryption/protection-boxes.js';
import { type Edit, movieHeader, type TrackDescription, trackBox } from './track-box.js';
import { boxTrackId, ticksFromMicros, timescaleOf } from './track-time.js';

/** What an init segment may say of a track beyond its configuration. */
export interface InitTrackOptions extends Omit<TrackDescription, 'protection'> {
  /** How long nothing is presented before the track begins: an empty edit. ISO 14496-12 §8.6.6. */
  readonly delay?: Micros;
  /** What is decoded but not presented at the track's start, as the priming of AAC and Opus: the edit begins there. */
  readonly skip?: Micros;
}

export interface InitSegmentOptions {
  readonly tracks?: ReadonlyMap<TrackId, InitTrackOptions>;
  /** The tracks' samples are encrypted by `cbcs`, with this key. */
  readonly protection?: Protection;
}

/** Of movie and edits; tracks have their own. */
const MOVIE_TIMESCALE = 1000;

/**
 * The init segment (CMAF header) of one track or several: `ftyp` and `moov`. ISO 23000-19 §7.3.1, ISO 14496-12 §8.
 * Only with one track it is CMAF's, and says so by its brand.
 *
 * @throws {MediaError} where a configuration can't be read; `unsupported` without a track, or for VP9 without `size`;
 *   `malformed` for a language or an edit that can't be written
 */
export function writeInitSegment(tracks: readonly TrackConfig[], options: InitSegmentOptions = {}): Buffer {
  if (tracks.length === 0) throw new MediaError('unsupported', 'an init segment without tracks');
  const major = tracks.length === 1 ? 'cmfc' : 'iso6';
  return Buffer.concat([fileTypeBox([major, 'iso6', 'iso5', 'mp41'], tracks), fragmentedMovieBox(tracks, options)]);
}

/** @param brands the major one first */
export function fileTypeBox(brands: readonly string[], tracks: readonly TrackConfig[]): Buffer {
  const codecs = tracks.some(({ codec }) => codec === 'av1') ? ['av01'] : [];
  const [major = ''] = brands;
  return box('ftyp', latin1(major), u32(0), latin1([...new Set([...brands, ...codecs])].join('')));
}

/** The `moov` box of a file whose samples are in fragments. Errors as of `writeInitSegment`. */
export function fragmentedMovieBox(tracks: readonly TrackConfig[], options: InitSegmentOptions): Buffer {
  return box(
    'moov',
    movieHeader(MOVIE_TIMESCALE, 0, tracks),
    ...tracks.map((config) => {
      const described = options.tracks?.get(config.track) ?? {};
      const { protection } = options;
      const sinf = protection === undefined ? {} : { protection: protectionBox(config, protection) };
      const edits = editsOf(config, described);
      const timescale = timescaleOf(config);
      const contents = { timescale, mediaDuration: 0, duration: 0, edits, tables: EMPTY_TABLES };
      return trackBox(config, { ...described, ...sinf }, contents);
    }),
    box('mvex', ...tracks.map(({ track }) => fullBox('trex', 0, 0, u32(boxTrackId(track), 1, 0, 0, 0)))),
  );
}

/** The samples are in the fragments. */
const EMPTY_TABLES: readonly Buffer[] = [
  fullBox('stts', 0, 0, u32(0)),
  fullBox('stsc', 0, 0, u32(0)),
  fullBox('stsz', 0, 0, u32(0, 0)),
  fullBox('stco', 0, 0, u32(0)),
];

/** The last edit has no end, for how much comes is not known. */
function editsOf(config: TrackConfig, { delay = micros(0), skip = micros(0) }: InitTrackOptions): Edit[] {
  if (delay === 0 && skip === 0) return [];
  if (delay < 0 || skip < 0) {
    throw new MediaError('malformed', `an edit of track ${config.track} with delay ${delay} µs and skip ${skip} µs`);
  }
  const media = { duration: 0, mediaTime: ticksFromMicros(skip, timescaleOf(config)) };
  const empty = { duration: ticksFromMicros(delay, MOVIE_TIMESCALE), mediaTime: undefined };
  return delay === 0 ? [media] : [empty, media];
}
