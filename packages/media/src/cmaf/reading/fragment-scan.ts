import { MediaError } from '../../errors.js';
import type { TrackId } from '../../track-config.js';
import type { BoxHeader } from './boxes.js';
import { type FragmentPlace, FragmentReader } from './fragment-reader.js';
import type { MovieTrack } from './movie-reader.js';
import type { Mp4Damage } from './mp4-index.js';
import { checkTotalSize, GrowingColumns, type SampleColumns } from './sample-columns.js';
import type { Reading, ScanWindow } from './scan-window.js';

/** A fragment of 200000 samples takes less. */
const MAX_FRAGMENT_HEADER = 16 * 1024 * 1024;
const SEARCH_STEP = 1024 * 1024;
/** Damaged places of a file; behind more of them it isn't read. */
const MAX_SEARCHES = 1000;
const MFHD_SIZE = 16;
/** Of a `moof` box, from its own header to the type of the `mfhd` box that it begins with. */
const FRAGMENT_MARK = 16;
/** Boxes that may stand between fragments, and aren't read. */
const PASSED_OVER: ReadonlySet<string> = new Set([
  'styp',
  'prft',
  'emsg',
  'sidx',
  'ssix',
  'free',
  'skip',
  'mdat',
  'uuid',
]);

/** A fragment that is whole, or a box without samples. */
interface ReadBox {
  readonly places?: readonly FragmentPlace[];
  readonly end: number;
}

/** Reads a file's fragments one after the other, and goes on behind what is damaged. */
export class FragmentScan {
  readonly #window: ScanWindow;
  readonly #reader: FragmentReader;
  readonly #columns: ReadonlyMap<TrackId, GrowingColumns>;
  #searches = 0;

  /** @param known samples that were found before */
  constructor(window: ScanWindow, tracks: readonly MovieTrack[], known: ReadonlyMap<TrackId, SampleColumns>) {
    this.#window = window;
    this.#reader = new FragmentReader(tracks);
    this.#columns = new Map(tracks.map(({ config: { track } }) => [track, new GrowingColumns(known.get(track))]));
  }

  columns(track: TrackId): SampleColumns {
    return (this.#columns.get(track) ?? new GrowingColumns()).columns();
  }

  /**
   * @param start where the `moov` box ends, or the last fragment that is known
   * @returns where the last whole fragment ends
   * @throws {MediaError} `too-large`
   */
  *scan(start: number): Reading<{ readonly end: number; readonly damage: readonly Mp4Damage[] }> {
    const damage: Mp4Damage[] = [];
    let end = start;
    let at = start;
    let unread: { readonly start: number; readonly reason: string } | undefined;
    while (at < this.#window.length) {
      const next = yield* this.#attempt(at);
      if (next instanceof MediaError) {
        unread ??= { start: at, reason: next.message };
        const found = yield* this.#search(at + 1);
        if (found === undefined) break;
        at = found;
        continue;
      }
      if (next.places !== undefined) {
        for (const place of next.places) this.#columns.get(place.track.config.track)?.push(place);
        if (unread !== undefined) damage.push({ ...unread, end: at });
        unread = undefined;
        end = next.end;
      }
      at = next.end;
    }
    return { end, damage };
  }

  /** The error where there is nothing that can be read. */
  *#attempt(at: number): Reading<ReadBox | MediaError> {
    try {
      return yield* this.#read(at);
    } catch (error) {
      if (error instanceof MediaError) return error;
      throw error;
    }
  }

  /** A fragment, or a box that is passed over. */
  *#read(at: number): Reading<ReadBox> {
    const header = yield* this.#header(at);
    if (PASSED_OVER.has(header.type)) return { end: at + header.size };
    if (header.type !== 'moof') {
      throw new MediaError('malformed', `a ${JSON.stringify(header.type)} box at ${at}, among fragments`);
    }
    const moof = yield* this.#window.box(at, header, MAX_FRAGMENT_HEADER);
    const places = this.#reader.read(moof, at);
    const dataAt = at + header.size;
    const data = yield* this.#header(dataAt);
    if (data.type !== 'mdat') throw new MediaError('malformed', `a fragment without its data at ${dataAt}`);
    const end = dataAt + data.size;
    checkTotalSize([places.map(({ size }) => size)], data.size);
    for (const { offset, size } of places) {
      if (offset >= dataAt && offset + size <= end) continue;
      throw new MediaError('malformed', `a sample at ${offset} of the fragment at ${at}, whose data end at ${end}`);
    }
    return { places, end };
  }

  /** Of a box that the file holds as a whole. */
  *#header(at: number): Reading<BoxHeader & { readonly size: number }> {
    const header = yield* this.#window.header(at);
    const left = this.#window.length - at;
    if (header === undefined) throw new MediaError('truncated', `${left} bytes at ${at} where a box has to be`);
    const { type, size = Number.POSITIVE_INFINITY } = header;
    if (size <= left) return { ...header, size };
    throw new MediaError(
      'truncated',
      `a ${JSON.stringify(type)} box of ${size} bytes at ${at}, ${left} bytes are there`,
    );
  }

  /** The next place where a fragment may begin. */
  *#search(from: number): Reading<number | undefined> {
    this.#searches += 1;
    if (this.#searches > MAX_SEARCHES) return undefined;
    for (let at = from; at < this.#window.length; ) {
      const bytes = yield* this.#window.bytes(at, SEARCH_STEP);
      if (bytes.length < FRAGMENT_MARK) return undefined;
      const found = fragmentMarkIn(bytes);
      if (found !== undefined) return at + found;
      at += bytes.length - FRAGMENT_MARK + 1;
    }
    return undefined;
  }
}

/** Where a `moof` box begins whose first box is `mfhd`. */
function fragmentMarkIn(bytes: Buffer): number | undefined {
  for (let type = bytes.indexOf('moof', 4, 'latin1'); type >= 0; type = bytes.indexOf('moof', type + 1, 'latin1')) {
    if (type + 12 > bytes.length) return undefined;
    if (bytes.readUInt32BE(type + 4) === MFHD_SIZE && bytes.toString('latin1', type + 8, type + 12) === 'mfhd') {
      return type - 4;
    }
  }
  return undefined;
}
