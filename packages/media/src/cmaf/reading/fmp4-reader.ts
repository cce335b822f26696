import { MediaError } from '../../errors.js';
import type { MediaEvent } from '../../sample.js';
import { sameTrackConfig, type TrackConfig, type TrackId } from '../../track-config.js';
import { type BoxHeader, type FoundBox, readBoxHeader } from './boxes.js';
import { ByteQueue } from './byte-queue.js';
import { type FragmentPlace, FragmentReader } from './fragment-reader.js';
import { readMovie, type UnsupportedTrack } from './movie-reader.js';
import { checkTotalSize } from './sample-columns.js';
import { sampleAt } from './sample-place.js';

/** What MP4 tells beyond what all containers do. */
export type Mp4Event = MediaEvent | ({ readonly type: 'unsupported-track' } & UnsupportedTrack);

export interface Fmp4ReaderOptions {
  /** The longest box that is held in memory, in bytes. 64 MiB if not given. */
  readonly maxBox?: number;
}

const LONGEST_HEADER = 16;
const DEFAULT_MAX_BOX = 64 * 1024 * 1024;
/** Boxes that are read as a whole; of the others nothing is kept. */
const METADATA: ReadonlySet<string> = new Set(['moov', 'moof']);

/**
 * Reads fragmented MP4, init segments and fragments one after the other, wherever its bytes are cut. ISO 14496-12
 * §8.8, ISO 23000-19.
 *
 * Tracks are numbered as the file has it, less 1. Times are those of the presentation, so that with an edit list the
 * first samples may stand before 0; and where a file has negative composition offsets (brand `cmf2`), `pts` may be less
 * than `dts`. Data of samples are views of what was pushed, where they lie in one chunk.
 */
export class Fmp4Reader {
  readonly #queue = new ByteQueue();
  readonly #maxBox: number;
  readonly #configs = new Map<TrackId, TrackConfig>();
  #position = 0;
  #toSkip = 0;
  #fragments: FragmentReader | undefined;
  #pending: readonly FragmentPlace[] | undefined;
  #wholeUntil = 0;

  constructor(options: Fmp4ReaderOptions = {}) {
    this.#maxBox = options.maxBox ?? DEFAULT_MAX_BOX;
  }

  /** Where the init segment or the fragment ends that was read last: a file that broke off is whole up to there. */
  get wholeUntil(): number {
    return this.#wholeUntil;
  }

  /**
   * @throws {MediaError} `malformed`, `truncated` or `too-large` where the bytes can't be read, `no-config` for a
   *   fragment before its init segment, `unsupported` for a file without fragments; the reader is of no use afterwards
   */
  push(chunk: Buffer): Mp4Event[] {
    const events: Mp4Event[] = [];
    this.#queue.push(chunk);
    while (this.#readBox(events)) {}
    return events;
  }

  /** @returns false once more bytes are needed */
  #readBox(events: Mp4Event[]): boolean {
    this.#skipOn();
    if (this.#toSkip > 0) return false;
    const header = readBoxHeader(this.#queue.peek(LONGEST_HEADER));
    if (header === undefined) return false;
    const { type } = header;
    const size = sizeOf(header);
    const isData = type === 'mdat' && this.#pending !== undefined;
    if (!isData && !METADATA.has(type)) {
      this.#toSkip = size;
      return true;
    }
    if (size > this.#maxBox) {
      throw new MediaError('too-large', `a ${type} box of ${size} bytes, ${this.#maxBox} are allowed`);
    }
    if (this.#queue.length < size) return false;
    const start = this.#position;
    const payload = this.#queue.take(size).subarray(header.headerLength);
    this.#position += size;
    this.#readWhole({ type, start, payload }, start + header.headerLength, events);
    return true;
  }

  #skipOn(): void {
    const skipped = this.#queue.skip(this.#toSkip);
    this.#toSkip -= skipped;
    this.#position += skipped;
  }

  #readWhole(box: FoundBox, payloadAt: number, events: Mp4Event[]): void {
    if (box.type !== 'mdat' && this.#pending !== undefined && this.#pending.length > 0) {
      throw new MediaError('malformed', `a fragment without its data: a ${box.type} box follows at ${box.start}`);
    }
    if (box.type === 'moov') this.#readMovie(box, events);
    else if (box.type === 'moof') this.#readFragment(box);
    else this.#readData(box, payloadAt, events);
  }

  #readMovie(moov: FoundBox, events: Mp4Event[]): void {
    const { tracks, unsupported, fragmented } = readMovie(moov);
    if (!fragmented) throw new MediaError('unsupported', 'an MP4 file without fragments; read it by readMp4');
    for (const { config } of tracks) {
      const known = this.#configs.get(config.track);
      this.#configs.set(config.track, config);
      if (known === undefined || !sameTrackConfig(known, config)) events.push({ type: 'config', config });
    }
    for (const track of unsupported) events.push({ type: 'unsupported-track', ...track });
    this.#fragments = new FragmentReader(tracks);
    this.#pending = undefined;
    this.#wholeUntil = this.#position;
  }

  #readFragment(moof: FoundBox): void {
    if (this.#fragments === undefined) throw new MediaError('no-config', 'a fragment before its init segment');
    this.#pending = this.#fragments.read(moof, moof.start);
  }

  #readData({ payload }: FoundBox, payloadAt: number, events: Mp4Event[]): void {
    const places = this.#pending ?? [];
    checkTotalSize([places.map(({ size }) => size)], payload.length);
    for (const place of places) {
      const sample = sampleAt(place.track, place, payload, payloadAt);
      if (sample !== undefined) events.push({ type: 'sample', sample });
    }
    this.#pending = undefined;
    this.#wholeUntil = this.#position;
  }
}

function sizeOf({ type, size }: BoxHeader): number {
  if (size !== undefined) return size;
  throw new MediaError('unsupported', `a ${JSON.stringify(type)} box to the end of the file, in fragmented MP4`);
}
