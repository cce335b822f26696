import type { PixelAspect } from '../codecs/picture-format.js';
import { MediaError } from '../errors.js';
import { type Micros, micros } from '../time.js';
import type { TrackConfig, TrackId } from '../track-config.js';
import { box, cString, fullBox, IDENTITY_MATRIX, latin1, MAX_UINT32, u16, u32, u64 } from './box.js';
import { type Protection, protectionBox } from './encryption/protection-boxes.js';
import { languageCode } from './language.js';
import { pictureDescriptionOf } from './picture-description.js';
import { pictureSizeOf, type SampleEntryOptions, sampleEntry } from './sample-entry.js';
import { boxTrackId, ticksFromMicros, timescaleOf } from './track-time.js';

/** What an init segment may say of a track beyond its configuration. */
export interface InitTrackOptions extends Omit<SampleEntryOptions, 'protection'> {
  /** ISO 639-2 of three letters, or a tag of BCP 47 (`pt-BR`), which needs a box of its own. `und` if not given. */
  readonly language?: string;
  /** What the track is called, for people. */
  readonly name?: string;
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
const ENABLED_AND_IN_MOVIE = 3;
/** The data is in the same file, ISO 14496-12 §8.7.2. */
const SELF_CONTAINED = 1;
const FULL_VOLUME = 0x100;
/** Groups of tracks of which one is played, by kind. */
const ALTERNATE_GROUP = { video: 1, audio: 2 } as const;
const HANDLERS = { video: ['vide', 'VideoHandler'], audio: ['soun', 'SoundHandler'] } as const;

/**
 * The init segment (CMAF header) of one track or several: `ftyp` and `moov`. ISO 23000-19 §7.3.1, ISO 14496-12 §8.
 * Only with one track it is CMAF's, and says so by its brand.
 *
 * @throws {MediaError} where a configuration can't be read; `unsupported` without a track, or for VP9 without `size`;
 *   `malformed` for a language or an edit that can't be written
 */
export function writeInitSegment(tracks: readonly TrackConfig[], options: InitSegmentOptions = {}): Buffer {
  if (tracks.length === 0) throw new MediaError('unsupported', 'an init segment without tracks');
  const brands = [tracks.length === 1 ? 'cmfc' : 'iso6', 'iso6', 'iso5', 'mp41'];
  if (tracks.some(({ codec }) => codec === 'av1')) brands.push('av01');
  const [major = '', ...compatible] = brands;
  const nextTrack = Math.max(...tracks.map(({ track }) => boxTrackId(track))) + 1;
  return Buffer.concat([
    box('ftyp', latin1(major), u32(0), latin1([major, ...compatible.filter((brand) => brand !== major)].join(''))),
    box(
      'moov',
      movieHeader(nextTrack),
      ...tracks.map((config) => trackBox(config, options.tracks?.get(config.track) ?? {}, options.protection)),
      box('mvex', ...tracks.map(({ track }) => fullBox('trex', 0, 0, u32(boxTrackId(track), 1, 0, 0, 0)))),
    ),
  ]);
}

/** ISO 14496-12 §8.2.2. */
function movieHeader(nextTrack: number): Buffer {
  return fullBox(
    'mvhd',
    0,
    0,
    u32(0, 0, MOVIE_TIMESCALE, 0, 0x1_0000),
    u16(FULL_VOLUME, 0),
    u32(0, 0),
    IDENTITY_MATRIX,
    Buffer.alloc(24),
    u32(nextTrack),
  );
}

function trackBox(config: TrackConfig, options: InitTrackOptions, protection: Protection | undefined): Buffer {
  const sinf = protection === undefined ? {} : { protection: protectionBox(config, protection) };
  const entry = sampleEntry(config, { ...options, ...sinf });
  return box(
    'trak',
    trackHeader(config, options),
    ...editBox(config, options),
    box(
      'mdia',
      ...mediaHeader(config, options.language ?? 'und'),
      handlerBox(config, options.name),
      box(
        'minf',
        config.kind === 'video' ? fullBox('vmhd', 0, 1, u16(0, 0, 0, 0)) : fullBox('smhd', 0, 0, u16(0, 0)),
        box('dinf', fullBox('dref', 0, 0, u32(1), fullBox('url ', 0, SELF_CONTAINED))),
        box('stbl', fullBox('stsd', 0, 0, u32(1), entry), ...EMPTY_TABLES),
      ),
    ),
  );
}

/** The samples are in the fragments. */
const EMPTY_TABLES: readonly Buffer[] = [
  fullBox('stts', 0, 0, u32(0)),
  fullBox('stsc', 0, 0, u32(0)),
  fullBox('stsz', 0, 0, u32(0, 0)),
  fullBox('stco', 0, 0, u32(0)),
];

/** ISO 14496-12 §8.3.2. The picture's sides are those at which it is shown. */
function trackHeader(config: TrackConfig, { size }: InitTrackOptions): Buffer {
  const isVideo = config.kind === 'video';
  const shown = isVideo ? pictureSizeOf(config, size) : { width: 0, height: 0 };
  const aspect = isVideo ? pictureDescriptionOf(config).pixelAspect : undefined;
  return fullBox(
    'tkhd',
    0,
    ENABLED_AND_IN_MOVIE,
    u32(0, 0, boxTrackId(config.track), 0, 0, 0, 0),
    u16(0, ALTERNATE_GROUP[config.kind], isVideo ? 0 : FULL_VOLUME, 0),
    IDENTITY_MATRIX,
    u32(fixed(widthShown(shown.width, aspect)), fixed(shown.height)),
  );
}

/** 16.16, as far as it goes. */
const fixed = (value: number): number => Math.min(Math.round(value * 0x1_0000), MAX_UINT32);

function widthShown(width: number, aspect: PixelAspect | undefined): number {
  return aspect === undefined ? width : (width * aspect.horizontal) / aspect.vertical;
}

/** ISO 14496-12 §8.4.2, and §8.4.6 for languages that don't fit. */
function mediaHeader(config: TrackConfig, language: string): Buffer[] {
  const code = languageCode(language);
  const header = fullBox('mdhd', 0, 0, u32(0, 0, timescaleOf(config), 0), u16(code.packed, 0));
  return code.extended === undefined ? [header] : [header, fullBox('elng', 0, 0, cString(code.extended))];
}

/** ISO 14496-12 §8.4.3. */
function handlerBox({ kind }: TrackConfig, name: string | undefined): Buffer {
  const [type, usual] = HANDLERS[kind];
  return fullBox('hdlr', 0, 0, u32(0), latin1(type), u32(0, 0, 0), cString(name ?? usual));
}

/** ISO 14496-12 §8.6.6. The last edit has no end, for how much comes is not known. */
function editBox(config: TrackConfig, { delay = micros(0), skip = micros(0) }: InitTrackOptions): Buffer[] {
  if (delay === 0 && skip === 0) return [];
  if (delay < 0 || skip < 0) {
    throw new MediaError('malformed', `an edit of track ${config.track} with delay ${delay} µs and skip ${skip} µs`);
  }
  const rate = u16(1, 0);
  const empty = Buffer.concat([u64(ticksFromMicros(delay, MOVIE_TIMESCALE)), u32(MAX_UINT32, MAX_UINT32), rate]);
  const media = Buffer.concat([u64(0), u64(ticksFromMicros(skip, timescaleOf(config))), rate]);
  const edits = delay === 0 ? [media] : [empty, media];
  return [box('edts', fullBox('elst', 1, 0, u32(edits.length), ...edits))];
}
