import type { PixelAspect } from '../codecs/picture-format.js';
import type { TrackConfig } from '../track-config.js';
import { box, cString, fullBox, IDENTITY_MATRIX, latin1, MAX_UINT32, u16, u32, u64 } from './box.js';
import { languageCode } from './language.js';
import { pictureDescriptionOf } from './picture-description.js';
import { pictureSizeOf, type SampleEntryOptions, sampleEntry } from './sample-entry.js';
import { boxTrackId } from './track-time.js';

/** What a `trak` box may say of a track beyond its configuration. */
export interface TrackDescription extends SampleEntryOptions {
  /** ISO 639-2 of three letters, or a tag of BCP 47 (`pt-BR`), which needs a box of its own. `und` if not given. */
  readonly language?: string;
  /** What the track is called, for people. */
  readonly name?: string;
}

/** A stretch of the presentation. ISO 14496-12 §8.6.6. */
export interface Edit {
  /** Ticks of the movie. 0 in a file that goes on in fragments: to its end. */
  readonly duration: number;
  /** Where it begins in the media, in ticks of the track; undefined where nothing is presented. */
  readonly mediaTime: number | undefined;
}

/** What a `trak` box says of its samples. */
export interface TrackContents {
  /** Ticks a second of the track. */
  readonly timescale: number;
  /** In ticks of the track; 0 where the samples are in fragments. */
  readonly mediaDuration: number;
  /** In ticks of the movie; 0 where the samples are in fragments. */
  readonly duration: number;
  readonly edits: readonly Edit[];
  /** The boxes of `stbl` behind `stsd`. */
  readonly tables: readonly Buffer[];
}

const ENABLED_AND_IN_MOVIE = 3;
/** The data is in the same file, ISO 14496-12 §8.7.2. */
const SELF_CONTAINED = 1;
const FULL_VOLUME = 0x100;
/** Groups of tracks of which one is played, by kind. */
const ALTERNATE_GROUP = { video: 1, audio: 2 } as const;
const HANDLERS = { video: ['vide', 'VideoHandler'], audio: ['soun', 'SoundHandler'] } as const;

/** An `mvhd` box. ISO 14496-12 §8.2.2. */
export function movieHeader(timescale: number, duration: number, tracks: readonly TrackConfig[]): Buffer {
  const nextTrack = Math.max(...tracks.map(({ track }) => boxTrackId(track))) + 1;
  const isLong = duration > MAX_UINT32;
  const times = isLong ? [u64(0), u64(0), u32(timescale), u64(duration)] : [u32(0, 0, timescale, duration)];
  return fullBox(
    'mvhd',
    isLong ? 1 : 0,
    0,
    ...times,
    u32(0x1_0000),
    u16(FULL_VOLUME, 0),
    u32(0, 0),
    IDENTITY_MATRIX,
    Buffer.alloc(24),
    u32(nextTrack),
  );
}

/**
 * A `trak` box. ISO 14496-12 §8.3.
 *
 * @throws {MediaError} where the configuration can't be read; `unsupported` for VP9 without `size`; `malformed` for a
 *   language that can't be written
 */
export function trackBox(
  config: TrackConfig,
  description: TrackDescription & { readonly protection?: Buffer },
  contents: TrackContents,
): Buffer {
  const { edits, tables } = contents;
  const entry = sampleEntry(config, description);
  return box(
    'trak',
    trackHeader(config, description, contents.duration),
    ...(edits.length === 0 ? [] : [editBox(edits)]),
    box(
      'mdia',
      ...mediaHeader(contents, description.language ?? 'und'),
      handlerBox(config, description.name),
      box(
        'minf',
        config.kind === 'video' ? fullBox('vmhd', 0, 1, u16(0, 0, 0, 0)) : fullBox('smhd', 0, 0, u16(0, 0)),
        box('dinf', fullBox('dref', 0, 0, u32(1), fullBox('url ', 0, SELF_CONTAINED))),
        box('stbl', fullBox('stsd', 0, 0, u32(1), entry), ...tables),
      ),
    ),
  );
}

/** ISO 14496-12 §8.3.2. The picture's sides are those at which it is shown. */
function trackHeader(config: TrackConfig, { size }: TrackDescription, duration: number): Buffer {
  const isVideo = config.kind === 'video';
  const shown = isVideo ? pictureSizeOf(config, size) : { width: 0, height: 0 };
  const aspect = isVideo ? pictureDescriptionOf(config).pixelAspect : undefined;
  const track = boxTrackId(config.track);
  const isLong = duration > MAX_UINT32;
  const times = isLong ? [u64(0), u64(0), u32(track, 0), u64(duration)] : [u32(0, 0, track, 0, duration)];
  return fullBox(
    'tkhd',
    isLong ? 1 : 0,
    ENABLED_AND_IN_MOVIE,
    ...times,
    u32(0, 0),
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
function mediaHeader({ timescale, mediaDuration }: TrackContents, language: string): Buffer[] {
  const code = languageCode(language);
  const isLong = mediaDuration > MAX_UINT32;
  const times = isLong ? [u64(0), u64(0), u32(timescale), u64(mediaDuration)] : [u32(0, 0, timescale, mediaDuration)];
  const header = fullBox('mdhd', isLong ? 1 : 0, 0, ...times, u16(code.packed, 0));
  return code.extended === undefined ? [header] : [header, fullBox('elng', 0, 0, cString(code.extended))];
}

/** ISO 14496-12 §8.4.3. */
function handlerBox({ kind }: TrackConfig, name: string | undefined): Buffer {
  const [type, usual] = HANDLERS[kind];
  return fullBox('hdlr', 0, 0, u32(0), latin1(type), u32(0, 0, 0), cString(name ?? usual));
}

/** ISO 14496-12 §8.6.6. */
function editBox(edits: readonly Edit[]): Buffer {
  const rate = u16(1, 0);
  const entries = edits.map(({ duration, mediaTime }) =>
    Buffer.concat([u64(duration), mediaTime === undefined ? u32(MAX_UINT32, MAX_UINT32) : u64(mediaTime), rate]),
  );
  return box('edts', fullBox('elst', 1, 0, u32(edits.length), ...entries));
}
