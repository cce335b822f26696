import { MediaError } from '../../errors.js';
import type { TrackId } from '../../track-config.js';
import { SAMPLE_FLAGS, TFHD, TRUN } from '../movie-fragment.js';
import { trackIdOfBox } from '../track-time.js';
import { type FoundBox, fieldsOf, findBox, readBoxes, requireBox } from './boxes.js';
import type { FragmentDefaults, MovieTrack } from './movie-reader.js';
import type { SamplePlace } from './sample-place.js';

/** A sample of a fragment, and its track. */
export interface FragmentPlace extends SamplePlace {
  readonly track: MovieTrack;
}

/** A fragment of a day of sound would have four million. */
const MAX_SAMPLES = 200_000;

/** A `moof` box on the way. */
interface OpenFragment {
  readonly start: number;
  readonly places: FragmentPlace[];
  /** Of unknown tracks, too. */
  samples: number;
  /** Of the data of the last run. */
  end: number;
}

interface RunStart extends FragmentDefaults {
  /** Bytes from which the runs' offsets count, in the file. */
  readonly base: number;
  readonly time: number;
}

/** Reads `moof` boxes, one after the other. ISO 14496-12 §8.8. */
export class FragmentReader {
  readonly #tracks: ReadonlyMap<TrackId, MovieTrack>;
  /** Where a track's next fragment begins that doesn't tell. */
  readonly #nextTime = new Map<TrackId, number>();

  constructor(tracks: readonly MovieTrack[]) {
    this.#tracks = new Map(tracks.map((track) => [track.config.track, track]));
  }

  /**
   * @param start where the box begins in the file
   * @returns the samples of known tracks, run by run
   * @throws {MediaError} `malformed`, `truncated` or `too-large`
   */
  read(moof: FoundBox, start: number): FragmentPlace[] {
    const fragment: OpenFragment = { start, places: [], samples: 0, end: start };
    for (const box of readBoxes(moof.payload)) if (box.type === 'traf') this.#readTrack(box, fragment);
    return fragment.places;
  }

  #readTrack(traf: FoundBox, fragment: OpenFragment): void {
    const boxes = readBoxes(traf.payload);
    const { trackId, base, ...defaults } = this.#readHeader(requireBox(boxes, 'tfhd', 'traf'), fragment);
    const track = this.#tracks.get(trackId);
    const tfdt = findBox(boxes, 'tfdt');
    let time = tfdt === undefined ? (this.#nextTime.get(trackId) ?? 0) : readDecodeTime(tfdt);
    fragment.end = base;
    for (const trun of boxes.filter(({ type }) => type === 'trun')) {
      const run = readRun(trun, { ...defaults, base, time }, fragment);
      if (track !== undefined) for (const place of run.places) fragment.places.push({ ...place, track });
      fragment.samples += run.places.length;
      fragment.end = run.end;
      time = run.time;
    }
    this.#nextTime.set(trackId, time);
  }

  #readHeader(tfhd: FoundBox, { start, end }: OpenFragment) {
    const fields = fieldsOf(tfhd);
    const { flags } = fields.version();
    const trackId = trackIdOfBox(fields.u32());
    const usual = this.#tracks.get(trackId)?.defaults ?? { duration: 0, size: 0, flags: 0 };
    const implied = (flags & TFHD.baseIsMoof) !== 0 ? start : end;
    const base = (flags & TFHD.baseDataOffset) !== 0 ? fields.u64() : implied;
    const description = (flags & TFHD.sampleDescription) !== 0 ? fields.u32() : 1;
    if (description !== 1) throw new MediaError('unsupported', `samples of description ${description}, 1 is read`);
    const optional = (flag: number, value: number) => ((flags & flag) !== 0 ? fields.u32() : value);
    const duration = optional(TFHD.duration, usual.duration);
    const size = optional(TFHD.size, usual.size);
    return { trackId, base, duration, size, flags: optional(TFHD.flags, usual.flags) };
  }
}

function readDecodeTime(tfdt: FoundBox): number {
  const fields = fieldsOf(tfdt);
  return fields.version().version === 1 ? fields.u64() : fields.u32();
}

function readRun(trun: FoundBox, start: RunStart, fragment: OpenFragment) {
  const fields = fieldsOf(trun);
  const { version, flags } = fields.version();
  const has = (flag: number) => (flags & flag) !== 0;
  const count = fields.u32();
  if (count > MAX_SAMPLES - fragment.samples) {
    throw new MediaError('too-large', `a fragment of more than ${MAX_SAMPLES} samples`);
  }
  if (count > 0 && !has(TRUN.size) && start.size === 0) {
    throw new MediaError('malformed', `a trun box of ${count} samples without a size`);
  }
  let offset = has(TRUN.dataOffset) ? start.base + fields.i32() : fragment.end;
  const firstFlags = has(TRUN.firstFlags) ? fields.u32() : undefined;
  let { time } = start;
  const places: SamplePlace[] = [];
  for (let index = 0; index < count; index++) {
    const duration = has(TRUN.duration) ? fields.u32() : start.duration;
    const size = has(TRUN.size) ? fields.u32() : start.size;
    const own = has(TRUN.flags) ? fields.u32() : start.flags;
    const sampleFlags = index === 0 ? (firstFlags ?? own) : own;
    const compositionOffset = has(TRUN.composition) ? (version === 0 ? fields.u32() : fields.i32()) : 0;
    const keyframe = (sampleFlags & SAMPLE_FLAGS.notSyncBit) === 0;
    places.push({ offset, size, dts: time, duration, compositionOffset, keyframe });
    offset += size;
    time += duration;
  }
  if (!Number.isSafeInteger(time)) throw new MediaError('malformed', `a fragment that ends at ${time} ticks`);
  return { places, time, end: offset };
}
