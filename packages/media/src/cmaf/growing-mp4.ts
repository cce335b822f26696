import { MediaError } from '../errors.js';
import type { TrackConfig } from '../track-config.js';
import { latin1, MAX_UINT32, u32, u64 } from './box.js';
import { fragmentedMovieBox, type InitSegmentOptions } from './init-segment.js';
import { longDataHeader, movieBox, recordingTypeBox } from './movie.js';
import type { ByteRange, Mp4Index } from './reading/mp4-index.js';

/**
 * A file that grows by fragments and is finished in place. While it grows it is
 *
 *     ftyp | free (room) | moov with mvex | moof mdat | moof mdat | …
 *
 * and when it is finished, `moov` with tables of all samples stands where `free` was, and everything from the old
 * `moov` on is inside one `mdat`:
 *
 *     ftyp | moov | free | mdat
 *
 * What commits it is one write of 8 bytes, so that a crash at any point leaves one or the other.
 */
export interface GrowingMp4Head {
  /** `ftyp`, and the header of `free`: at the file's beginning. */
  readonly front: Buffer;
  /** How many bytes follow that are left a hole. They read as zeros. */
  readonly hole: number;
  /** `moov`, behind the hole. Fragments follow it. */
  readonly movie: Buffer;
  /** Of all three. */
  readonly length: number;
}

export interface GrowingMp4Options extends Omit<InitSegmentOptions, 'protection'> {
  /** Bytes of room for the tables of the finished file, as `mp4MovieRoom` estimates them. */
  readonly reserve: number;
}

/** One thing to do to the file, in order. What stands before a `sync` is on the disk before what stands behind it. */
export type Mp4FinishStep =
  | { readonly kind: 'truncate'; readonly length: number }
  | { readonly kind: 'write'; readonly offset: number; readonly bytes: Buffer }
  | { readonly kind: 'sync' };

/** How a file is finished. */
export interface Mp4FinishPlan {
  readonly steps: readonly Mp4FinishStep[];
  /** Whether the `moov` comes before the data. It stands at the end where the room was too small. */
  readonly isFaststart: boolean;
}

const SHORT_HEADER = 8;
const LONG_HEADER = 16;
const MAX_ROOM = 16 * 1024 * 1024;
/** Of a file without samples: headers and sample entries. */
const FIXED_ROOM = 4096;
const ROOM_STEP = 4096;
/** Of a picture: its size, time, composition offset, and a part of the sync table. */
const ROOM_PER_PICTURE = 21;
/** Of a frame of sound: its size; times repeat. */
const ROOM_PER_SOUND = 5;
/** Of a fragment in each track, a second: a chunk. */
const ROOM_PER_SECOND = 2 * 20;
const UNKNOWN_FRAME_RATE = 60;
/** The shortest frame in use, of Opus. */
const OPUS_FRAMES_A_SECOND = 100;
const MP3_AND_AAC_FRAME = 1024;

/**
 * Bytes of room that the `moov` of a finished file takes, with something to spare; 16 MiB at most. A hole costs no
 * disk.
 *
 * @param seconds how long the file may become
 */
export function mp4MovieRoom(tracks: readonly TrackConfig[], seconds: number): number {
  const perSecond = tracks.reduce((sum, config) => sum + roomPerSecond(config), 0);
  const room = Math.ceil((FIXED_ROOM + perSecond * seconds) / ROOM_STEP) * ROOM_STEP;
  return Math.min(room, MAX_ROOM);
}

function roomPerSecond(config: TrackConfig): number {
  if (config.kind === 'video') return (config.frameRate ?? UNKNOWN_FRAME_RATE) * ROOM_PER_PICTURE + ROOM_PER_SECOND;
  const frames = config.codec === 'opus' ? OPUS_FRAMES_A_SECOND : config.sampleRate / MP3_AND_AAC_FRAME;
  return frames * ROOM_PER_SOUND + ROOM_PER_SECOND;
}

/**
 * What a growing file begins with. The fragments are those of `FragmentWriter` and `writeFragment`; players begin at
 * time 0, so that the first of them is to begin there, or near.
 *
 * @throws {MediaError} as `writeInitSegment`; `malformed` for a reserve below 16 bytes or beyond 32 bits
 */
export function writeGrowingMp4Head(tracks: readonly TrackConfig[], options: GrowingMp4Options): GrowingMp4Head {
  const { reserve } = options;
  if (tracks.length === 0) throw new MediaError('unsupported', 'an MP4 file without tracks');
  if (!Number.isInteger(reserve) || reserve < LONG_HEADER || reserve > MAX_UINT32) {
    throw new MediaError(
      'malformed',
      `a reserve of ${reserve} bytes; give ${LONG_HEADER} or more, as mp4MovieRoom does`,
    );
  }
  const front = Buffer.concat([recordingTypeBox(tracks), freeHeader(reserve)]);
  const hole = reserve - SHORT_HEADER;
  const movie = fragmentedMovieBox(tracks, options);
  return { front, hole, movie, length: front.length + hole + movie.length };
}

/**
 * What turns a growing file, whole or broken off, into a finished one. At any point a crash leaves a file in fragments
 * or a finished one, and it is safe to plan anew from what there is then.
 *
 * @param index of the file as it is
 * @param length of the file, in bytes; what is behind `index.end` is cut off
 * @returns undefined for a file that is finished
 * @throws {MediaError} `unsupported` where the file has no room in front of its `moov`; `malformed` for decoding times
 *   that only fragments can tell: the file is to stay as it is
 */
export function planMp4Finish(index: Mp4Index, length: number): Mp4FinishPlan | undefined {
  if (!index.isFragmented) return undefined;
  const { room, end } = index;
  if (room === undefined || room.end - room.start < LONG_HEADER) {
    throw new MediaError('unsupported', 'an MP4 file in fragments without a free box in front of its moov');
  }
  const movie = movieBox(index.tracks);
  const left = room.end - room.start - movie.length - LONG_HEADER;
  const isFaststart = left === 0 || left >= SHORT_HEADER;
  const cut: Mp4FinishStep[] = length > end ? [{ kind: 'truncate', length: end }, { kind: 'sync' }] : [];
  const steps = isFaststart ? inRoom(room, movie, end) : atEnd(room, movie, end);
  return { steps: [...cut, ...steps], isFaststart };
}

/** The `moov` goes into the room; its first 8 bytes, for which `free` stands till then, go last. */
function inRoom(room: ByteRange, movie: Buffer, end: number): Mp4FinishStep[] {
  const dataAt = room.end - LONG_HEADER;
  const left = dataAt - room.start - movie.length;
  const free: Mp4FinishStep = { kind: 'write', offset: room.start + movie.length, bytes: freeHeader(left) };
  return [
    { kind: 'write', offset: room.start + SHORT_HEADER, bytes: movie.subarray(SHORT_HEADER) },
    ...(left === 0 ? [] : [free]),
    { kind: 'write', offset: dataAt, bytes: longDataHeader(end - room.end) },
    { kind: 'sync' },
    { kind: 'write', offset: room.start, bytes: movie.subarray(0, SHORT_HEADER) },
    { kind: 'sync' },
  ];
}

/** The `moov` goes behind the fragments; then `free` turns into an `mdat` box, whose long size stands in it already. */
function atEnd(room: ByteRange, movie: Buffer, end: number): Mp4FinishStep[] {
  return [
    { kind: 'write', offset: end, bytes: movie },
    { kind: 'write', offset: room.start + SHORT_HEADER, bytes: u64(end - room.start) },
    { kind: 'sync' },
    { kind: 'write', offset: room.start, bytes: Buffer.concat([u32(1), latin1('mdat')]) },
    { kind: 'sync' },
  ];
}

const freeHeader = (size: number): Buffer => Buffer.concat([u32(size), latin1('free')]);
