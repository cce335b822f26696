import { MediaError } from '../../errors.js';
import type { TrackId } from '../../track-config.js';
import type { BoxHeader } from './boxes.js';
import { FragmentScan } from './fragment-scan.js';
import { type Movie, type MovieTrack, readMovie } from './movie-reader.js';
import type { ByteRange, Mp4Index, Mp4TrackIndex } from './mp4-index.js';
import { checkTotalSize, type SampleColumns } from './sample-columns.js';
import { readSampleTable } from './sample-table.js';
import { type Reading, ScanWindow } from './scan-window.js';

/** The tables of a day of pictures and sound take 60 MiB. */
const MAX_MOVIE = 256 * 1024 * 1024;

interface FoundMovie extends Pick<Mp4Index, 'movie' | 'room'> {
  readonly content: Movie;
}

/**
 * Where the samples of an MP4 file are: of one that is still being written, that a crash cut off anywhere, or that is
 * finished, with its `moov` in front or at the end; ours and, as far as we carry the codecs, those of other programs.
 * ISO 14496-12 §6.2.
 *
 * It does no input of its own: it yields what it wants to read, and `next(bytes)` gives it that. Only boxes that tell
 * of samples are read, their data are passed over. A fragment that isn't whole is left out; where bytes between
 * fragments can't be read, it looks for the next fragment, and tells of it in `damage`.
 *
 * ```ts
 * const scan = scanMp4(fstatSync(fd).size);
 * let step = scan.next();
 * while (!step.done) step = scan.next(read(step.value));
 * const index = step.value;
 * ```
 *
 * @param length of the file, in bytes; nothing behind it is asked for
 * @param known what was found before in the same file: where it still grows, only what has come since is read
 * @throws {MediaError} `truncated` where the file broke off before its `moov` was whole, or before its samples end;
 *   `malformed`, `too-large`; `unsupported` or `no-config` for what is no MP4 file
 */
export function* scanMp4(length: number, known?: Mp4Index): Reading<Mp4Index> {
  const window = new ScanWindow(length);
  const { content, movie, room } = yield* findMovie(window);
  const { tracks, unsupported } = content;
  const common = { unsupported, movie, room };
  if (content.fragmented) {
    const before = known?.isFragmented && known.movie.end === movie.end && known.end <= length ? known : undefined;
    const columns = new Map(before?.tracks.map((track) => [track.config.track, track]));
    const fragments = new FragmentScan(window, tracks, columns);
    const { end, damage: found } = yield* fragments.scan(before?.end ?? movie.end);
    const damage = [...(before?.damage ?? []), ...found];
    const indexes = tracks.map((track) => trackIndex(track, fragments.columns(track.config.track)));
    return { ...common, tracks: indexes, isFragmented: true, end, damage };
  }
  const indexes = tracks.map((track) => trackIndex(track, readSampleTable(track.tables, length)));
  checkInside(indexes, length);
  return { ...common, tracks: indexes, isFragmented: false, end: length, damage: [] };
}

function* findMovie(window: ScanWindow): Reading<FoundMovie> {
  let room: ByteRange | undefined;
  for (let at = 0; ; ) {
    const header = yield* window.header(at);
    if (header === undefined) {
      throw new MediaError('truncated', `an MP4 file that broke off at ${window.length}, before its moov box`);
    }
    const end = endOf(header, at, window.length);
    if (header.type === 'moof')
      throw new MediaError('no-config', `an MP4 file with a fragment before its moov, at ${at}`);
    if (header.type === 'moov') {
      const box = yield* window.box(at, header, MAX_MOVIE);
      return { content: readMovie(box), movie: { start: at, end }, room };
    }
    room = header.type === 'free' ? { start: at, end } : undefined;
    at = end;
  }
}

function endOf({ type, size }: BoxHeader, at: number, length: number): number {
  if (size === undefined) return length;
  if (Number.isSafeInteger(at + size)) return at + size;
  throw new MediaError('malformed', `a ${type} box of ${size} bytes at ${at}`);
}

function trackIndex(track: MovieTrack, columns: SampleColumns): Mp4TrackIndex {
  const { config, lengthSize, timescale, language, name, skip, delay } = track;
  const told = { ...(language === undefined ? {} : { language }), ...(name === undefined ? {} : { name }) };
  return { config, lengthSize, timescale, ...told, skip, delay, ...columns };
}

function checkInside(tracks: readonly Mp4TrackIndex[], length: number): void {
  checkTotalSize(
    tracks.map(({ sizes }) => sizes),
    length,
  );
  for (const { config, offsets, sizes } of tracks) {
    const last = offsets.reduce((most, offset, index) => Math.max(most, offset + (sizes[index] ?? 0)), 0);
    if (last > length) throw brokenOff(config.track, last, length);
  }
}

function brokenOff(track: TrackId, end: number, length: number): MediaError {
  return new MediaError('truncated', `samples of track ${track} up to ${end} in a file of ${length} bytes`);
}
