import { MediaError } from '../errors.js';
import type { Millis } from '../time.js';
import { box, latin1, MAX_UINT32, u32 } from './box.js';
import { type EventMessage, eventMessageBox } from './event-message.js';
import { movieFragmentBox } from './movie-fragment.js';
import { producerTimeBox } from './producer-time.js';
import type { TrackRun, TrackRunHead } from './track-run.js';

export interface FragmentOptions {
  /** Counts fragments, from 1 on; written modulo 2^32. */
  readonly sequence: number;
  /** What begins here, to be said in a `styp` box; left out if not given. ISO 23000-19 §7.2 */
  readonly begins?: 'segment' | 'fragment' | 'chunk';
  /** When the first sample of the first run was live, ms since 1970; goes into a `prft` box. */
  readonly wallClock?: Millis;
  /** `emsg` boxes. */
  readonly events?: readonly EventMessage[];
}

/** Bytes in pieces that follow each other. Those of samples are the samples' own and aren't to be written to. */
export interface Fragment {
  readonly pieces: readonly Buffer[];
  /** Bytes in all. */
  readonly length: number;
}

const BRANDS = { segment: 'cmfs', fragment: 'cmff', chunk: 'cmfl' } as const;
const MDAT_HEADER = 8;

/**
 * A fragment of one track or several: `styp`, `prft` and `emsg` where wanted, then `moof` and `mdat`. ISO 14496-12
 * §8.8, ISO 23000-19 §7.3.2. A segment is one fragment or several; a part of LL-HLS is one. Data are not copied.
 *
 * @throws {MediaError} `malformed` where there is no sample or a time can't be written, `too-large` past 2 GiB
 */
export function writeFragment(runs: readonly TrackRun[], options: FragmentOptions): Fragment {
  const { head, dataLength } = writeFragmentHead(runs, options);
  const data = runs.flatMap(({ samples }) => samples.map((sample) => sample.data));
  return { pieces: [head, ...data], length: head.length + dataLength };
}

/**
 * A fragment up to its data, which follow run by run: for whoever has them elsewhere.
 *
 * @returns the head, and how many bytes follow it
 * @throws {MediaError} as `writeFragment`
 */
export function writeFragmentHead(
  runs: readonly TrackRunHead[],
  options: FragmentOptions,
): { readonly head: Buffer; readonly dataLength: number } {
  const [reference] = runs;
  if (reference === undefined) throw new MediaError('malformed', 'a fragment without tracks');
  const { begins, wallClock, events = [] } = options;
  const dataLength = runs.reduce(
    (total, { samples }) => samples.reduce((sum, { data }) => sum + data.length, total),
    0,
  );
  const head = Buffer.concat([
    ...(begins === undefined ? [] : [segmentTypeBox(BRANDS[begins])]),
    ...(wallClock === undefined ? [] : [producerTimeBox(reference, wallClock)]),
    ...events.map((event) => eventMessageBox(event, reference.timescale)),
    movieFragmentBox(runs, options.sequence % (MAX_UINT32 + 1), MDAT_HEADER),
    u32(dataSize(dataLength)),
    latin1('mdat'),
  ]);
  return { head, dataLength };
}

function dataSize(length: number): number {
  const size = length + MDAT_HEADER;
  if (size > MAX_UINT32) throw new MediaError('too-large', `a fragment of ${length} bytes; cut it earlier`);
  return size;
}

/** ISO 14496-12 §8.16.2. */
function segmentTypeBox(brand: string): Buffer {
  return box('styp', latin1('msdh'), u32(0), latin1(`msdhmsix${brand}`));
}
