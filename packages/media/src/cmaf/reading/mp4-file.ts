import { MediaError } from '../../errors.js';
import { findBox, readBoxes } from './boxes.js';
import { Fmp4Reader, type Mp4Event } from './fmp4-reader.js';
import { type MovieTrack, readMovie } from './movie-reader.js';
import { checkTotalSize, placeIn, type SampleColumns } from './sample-columns.js';
import { sampleAt } from './sample-place.js';
import { readSampleTable } from './sample-table.js';

/** Of a day of fragments of half a second, with a few boxes each. */
const MAX_FILE_BOXES = 1_000_000;

interface TrackCursor {
  readonly track: MovieTrack;
  readonly columns: SampleColumns;
  next: number;
}

/**
 * Reads a whole MP4 file, with fragments or without: configurations, then samples in the order of decoding. Data are
 * views of the file.
 *
 * @throws {MediaError} where the file can't be read, or broke off; `unsupported` without a `moov` box
 */
export function readMp4(file: Buffer): Mp4Event[] {
  const boxes = readBoxes(file, MAX_FILE_BOXES);
  const moov = findBox(boxes, 'moov');
  if (moov === undefined) throw new MediaError('unsupported', 'an MP4 file without a moov box: it broke off');
  const { tracks, unsupported, fragmented } = readMovie(moov);
  if (fragmented) {
    const last = boxes.findLast(({ type }) => type === 'moof' || type === 'mdat');
    if (last?.type === 'moof') throw new MediaError('truncated', 'an MP4 file whose last fragment has no data');
    return new Fmp4Reader({ maxBox: file.length }).push(file);
  }
  const events: Mp4Event[] = tracks.map(({ config }) => ({ type: 'config', config }));
  for (const track of unsupported) events.push({ type: 'unsupported-track', ...track });
  const cursors = tracks.map((track) => ({ track, columns: readSampleTable(track.tables, file.length), next: 0 }));
  checkTotalSize(
    cursors.map(({ columns }) => columns.sizes),
    file.length,
  );
  for (;;) {
    const cursor = earliest(cursors);
    const place = cursor === undefined ? undefined : placeIn(cursor.columns, cursor.next);
    if (cursor === undefined || place === undefined) return events;
    cursor.next += 1;
    const sample = sampleAt(cursor.track, place, file, 0);
    if (sample !== undefined) events.push({ type: 'sample', sample });
  }
}

function earliest(cursors: readonly TrackCursor[]): TrackCursor | undefined {
  let first: TrackCursor | undefined;
  let firstTime = Number.POSITIVE_INFINITY;
  for (const cursor of cursors) {
    const dts = cursor.columns.dts[cursor.next];
    if (dts === undefined) continue;
    const { skip, timescale, delay } = cursor.track;
    const time = (dts - skip) / timescale + delay / 1_000_000;
    if (time < firstTime) {
      first = cursor;
      firstTime = time;
    }
  }
  return first;
}
