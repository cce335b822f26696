import { MediaError } from '../../errors.js';
import { type Micros, micros } from '../../time.js';
import type { TrackId } from '../../track-config.js';
import { unpackLanguage } from '../language.js';
import { microsFromTicks, trackIdOfBox } from '../track-time.js';
import { type FoundBox, fieldsOf, findBox, readBoxes, requireBox } from './boxes.js';
import { type DescribedTrack, readSampleDescription } from './sample-entry-reader.js';

/** Defaults of a track's fragments, ISO 14496-12 §8.8.3. */
export interface FragmentDefaults {
  readonly duration: number;
  readonly size: number;
  readonly flags: number;
}

/** A track as a `moov` box has it. */
export interface MovieTrack extends DescribedTrack {
  readonly timescale: number;
  /** ISO 639-2 of three letters, or a tag of BCP 47. */
  readonly language?: string;
  /** What the track is called, or the handler of its kind. */
  readonly name?: string;
  /** Where the track's first edit begins in its media: the ticks before it aren't presented. */
  readonly skip: number;
  /** How long the presentation waits for the track. */
  readonly delay: Micros;
  readonly defaults: FragmentDefaults;
  /** The boxes of `stbl`. */
  readonly tables: readonly FoundBox[];
}

/** A track that can't be read, and why. */
export interface UnsupportedTrack {
  readonly track: TrackId;
  readonly reason: string;
}

export interface Movie {
  readonly tracks: readonly MovieTrack[];
  readonly unsupported: readonly UnsupportedTrack[];
  /** The samples are in fragments. */
  readonly fragmented: boolean;
}

const MAX_TRACKS = 64;
const NO_DEFAULTS: FragmentDefaults = { duration: 0, size: 0, flags: 0 };

/**
 * What a `moov` box tells. ISO 14496-12 §8.2.1.
 *
 * @throws {MediaError} where it can't be read as a whole; a track of something else than sound and pictures that we
 *   carry is told in `unsupported`
 */
export function readMovie(moov: FoundBox): Movie {
  const boxes = readBoxes(moov.payload);
  const header = readTimescale(requireBox(boxes, 'mvhd', 'moov'));
  const mvex = findBox(boxes, 'mvex');
  const defaults = mvex === undefined ? new Map<TrackId, FragmentDefaults>() : readDefaults(mvex);
  const tracks = new Map<TrackId, MovieTrack>();
  const unsupported: UnsupportedTrack[] = [];
  const traks = boxes.filter(({ type }) => type === 'trak');
  if (traks.length > MAX_TRACKS) {
    throw new MediaError('too-large', `a moov box of ${traks.length} tracks, ${MAX_TRACKS} are read`);
  }
  for (const trak of traks) {
    const parts = readBoxes(trak.payload);
    const track = readTrackId(requireBox(parts, 'tkhd', 'trak'));
    if (tracks.has(track)) throw new MediaError('malformed', `two tracks of the number ${track}`);
    try {
      tracks.set(track, { ...readTrack(parts, track, header.timescale), defaults: defaults.get(track) ?? NO_DEFAULTS });
    } catch (error) {
      if (!(error instanceof MediaError) || error.code !== 'unsupported') throw error;
      unsupported.push({ track, reason: error.message });
    }
  }
  return { tracks: [...tracks.values()], unsupported, fragmented: mvex !== undefined };
}

function readTrack(parts: readonly FoundBox[], track: TrackId, movieTimescale: number): Omit<MovieTrack, 'defaults'> {
  const mdia = readBoxes(requireBox(parts, 'mdia', 'trak').payload);
  const { timescale, fields } = readTimescale(requireBox(mdia, 'mdhd', 'mdia'));
  const language = readLanguage(mdia, fields.u16());
  const minf = readBoxes(requireBox(mdia, 'minf', 'mdia').payload);
  const tables = readBoxes(requireBox(minf, 'stbl', 'minf').payload);
  const described = readSampleDescription(requireBox(tables, 'stsd', 'stbl'), track);
  return { ...described, timescale, ...language, ...readName(mdia), ...readEdits(parts, movieTimescale), tables };
}

/** `mvhd` and `mdhd` begin alike. The reader stands behind the duration. */
function readTimescale(box: FoundBox) {
  const fields = fieldsOf(box);
  const { version } = fields.version();
  fields.skip(version === 1 ? 16 : 8);
  const timescale = fields.u32();
  if (timescale === 0) throw new MediaError('malformed', `a ${box.type} box with a timescale of 0`);
  fields.skip(version === 1 ? 8 : 4);
  return { timescale, fields };
}

function readLanguage(mdia: readonly FoundBox[], packed: number): { readonly language?: string } {
  const elng = findBox(mdia, 'elng');
  if (elng === undefined) {
    const language = unpackLanguage(packed);
    return language === undefined ? {} : { language };
  }
  const fields = fieldsOf(elng);
  fields.skip(4);
  return { language: fields.cString() };
}

/** ISO 14496-12 §8.4.3. */
function readName(mdia: readonly FoundBox[]): { readonly name?: string } {
  const hdlr = findBox(mdia, 'hdlr');
  if (hdlr === undefined) return {};
  const fields = fieldsOf(hdlr);
  fields.skip(24);
  const bytes = fields.rest();
  const end = bytes.indexOf(0);
  const name = bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
  return name === '' ? {} : { name };
}

function readTrackId(tkhd: FoundBox): TrackId {
  const fields = fieldsOf(tkhd);
  const { version } = fields.version();
  fields.skip(version === 1 ? 16 : 8);
  return trackIdOfBox(fields.u32());
}

/** Empty edits at the start, and where the first edit with media begins; later ones are passed over. §8.6.6 */
function readEdits(parts: readonly FoundBox[], movieTimescale: number): { skip: number; delay: Micros } {
  const edts = findBox(parts, 'edts');
  const elst = edts === undefined ? undefined : findBox(readBoxes(edts.payload), 'elst');
  let delay = micros(0);
  if (elst === undefined) return { skip: 0, delay };
  const fields = fieldsOf(elst);
  const { version } = fields.version();
  const count = fields.count(version === 1 ? 20 : 12);
  for (let index = 0; index < count; index++) {
    const duration = version === 1 ? fields.u64() : fields.u32();
    const mediaTime = version === 1 ? fields.i64() : fields.i32();
    fields.skip(4);
    if (mediaTime >= 0) return { skip: mediaTime, delay };
    delay = micros(delay + microsFromTicks(duration, movieTimescale));
  }
  return { skip: 0, delay };
}

function readDefaults(mvex: FoundBox): Map<TrackId, FragmentDefaults> {
  const found = readBoxes(mvex.payload).filter(({ type }) => type === 'trex');
  return new Map(
    found.map((trex) => {
      const fields = fieldsOf(trex);
      fields.skip(4);
      const track = trackIdOfBox(fields.u32());
      fields.skip(4);
      return [track, { duration: fields.u32(), size: fields.u32(), flags: fields.u32() }];
    }),
  );
}
