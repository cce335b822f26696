import { MediaError } from '../errors.js';
import { box, fullBox, MAX_UINT32, u8, u16, u32, u64 } from './box.js';
import type { Subsample, TrackRunHead } from './track-run.js';
import { boxTrackId } from './track-time.js';

/** tf_flags, ISO 14496-12 §8.8.7. */
export const TFHD = {
  baseDataOffset: 0x1,
  sampleDescription: 0x2,
  duration: 0x8,
  size: 0x10,
  flags: 0x20,
  baseIsMoof: 0x2_0000,
} as const;
/** tr_flags, ISO 14496-12 §8.8.8. */
export const TRUN = {
  dataOffset: 0x1,
  firstFlags: 0x4,
  duration: 0x100,
  size: 0x200,
  flags: 0x400,
  composition: 0x800,
} as const;
/** Sample flags, ISO 14496-12 §8.8.3.1: depends on no other, or on others and no sync sample. */
export const SAMPLE_FLAGS = { sync: 0x0200_0000, other: 0x0101_0000, notSyncBit: 0x0001_0000 } as const;
/** `senc` has entries for subsamples, ISO 23001-7 §7.2.1. */
export const SENC_SUBSAMPLES = 2;
/** `saiz` counts a sample's auxiliary bytes in one. ISO 14496-12 §8.7.8 */
const MAX_AUXILIARY = 0xff;
const MOOF_HEADER = 8;
const MAX_INT32 = 0x7fff_ffff;

/** A `traf` box, with the places in it where offsets from the start of the `moof` box are still to be put. */
interface TrackFragment {
  readonly bytes: Buffer;
  readonly dataOffsetAt: number;
  readonly auxiliary?: { readonly offsetAt: number; readonly dataAt: number };
}

/**
 * The `moof` box of runs whose data follow it one after the other, behind the header of an `mdat` box. ISO 14496-12
 * §8.8.4; `default-base-is-moof`, as CMAF has it.
 *
 * @throws {MediaError} `malformed` or `too-large` for what the fields can't hold
 */
export function movieFragmentBox(runs: readonly TrackRunHead[], sequence: number, mdatHeader: number): Buffer {
  const header = fullBox('mfhd', 0, 0, u32(sequence));
  const fragments = runs.map(trackFragment);
  const moof = box('moof', header, ...fragments.map(({ bytes }) => bytes));
  let at = MOOF_HEADER + header.length;
  let dataAt = moof.length + mdatHeader;
  for (const [index, { bytes, dataOffsetAt, auxiliary }] of fragments.entries()) {
    if (dataAt > MAX_INT32) throw new MediaError('too-large', `a fragment with data at ${dataAt}; cut it earlier`);
    moof.writeInt32BE(dataAt, at + dataOffsetAt);
    if (auxiliary !== undefined) moof.writeUInt32BE(at + auxiliary.dataAt, at + auxiliary.offsetAt);
    at += bytes.length;
    dataAt += runs[index]?.samples.reduce((total, { data }) => total + data.length, 0) ?? 0;
  }
  return moof;
}

function trackFragment(run: TrackRunHead): TrackFragment {
  const [first] = run.samples;
  if (first === undefined) throw new MediaError('malformed', `a fragment without samples of track ${run.track}`);
  checkTimes(run);
  const duration = run.samples.every((sample) => sample.duration === first.duration) ? first.duration : undefined;
  const usual = flagsOf(run.samples[1] ?? first);
  const differing = run.samples.filter((sample) => flagsOf(sample) !== usual);
  const hasOwnFlags = differing.length > 1 || (differing.length === 1 && differing[0] !== first);
  const tfhd = fullBox(
    'tfhd',
    0,
    TFHD.baseIsMoof | (duration === undefined ? 0 : TFHD.duration) | (hasOwnFlags ? 0 : TFHD.flags),
    u32(boxTrackId(run.track), ...(duration === undefined ? [] : [duration]), ...(hasOwnFlags ? [] : [usual])),
  );
  const tfdt = fullBox('tfdt', 1, 0, u64(run.baseDecodeTime));
  const trun = runBox(run.samples, {
    hasDurations: duration === undefined,
    hasOwnFlags,
    firstFlags: !hasOwnFlags && differing.length === 1 ? flagsOf(first) : undefined,
  });
  const boxes = [tfhd, tfdt, trun];
  const trunAt = MOOF_HEADER + tfhd.length + tfdt.length;
  const dataOffsetAt = trunAt + 16;
  const { subsamples } = run;
  if (subsamples === undefined || subsamples.length === 0) return { bytes: box('traf', ...boxes), dataOffsetAt };
  const auxiliary = auxiliaryBoxes(run, subsamples);
  const saioAt = trunAt + trun.length + auxiliary.saiz.length;
  return {
    bytes: box('traf', ...boxes, auxiliary.saiz, auxiliary.saio, auxiliary.senc),
    dataOffsetAt,
    auxiliary: { offsetAt: saioAt + 16, dataAt: saioAt + auxiliary.saio.length + 16 },
  };
}

const flagsOf = ({ keyframe }: { readonly keyframe: boolean }): number =>
  keyframe ? SAMPLE_FLAGS.sync : SAMPLE_FLAGS.other;

function checkTimes({ track, baseDecodeTime, samples }: TrackRunHead): void {
  if (!Number.isSafeInteger(baseDecodeTime) || baseDecodeTime < 0) {
    const way = 'decoding times begin at 0 and are whole; move the timeline';
    throw new MediaError('malformed', `a fragment of track ${track} at ${baseDecodeTime} ticks; ${way}`);
  }
  for (const { duration, compositionOffset } of samples) {
    if (!Number.isInteger(duration) || duration < 0 || duration > MAX_UINT32) {
      const way = '32 bits are possible; begin a fragment behind a gap';
      throw new MediaError('malformed', `a sample of ${duration} ticks in track ${track}; ${way}`);
    }
    if (!Number.isInteger(compositionOffset) || Math.abs(compositionOffset) > MAX_INT32) {
      throw new MediaError('malformed', `a sample shown ${compositionOffset} ticks after its decoding, track ${track}`);
    }
  }
}

interface RunFields {
  readonly hasDurations: boolean;
  readonly hasOwnFlags: boolean;
  readonly firstFlags: number | undefined;
}

/** Version 1, whose composition offsets have a sign. ISO 14496-12 §8.8.8. */
function runBox(samples: TrackRunHead['samples'], { hasDurations, hasOwnFlags, firstFlags }: RunFields): Buffer {
  const hasOffsets = samples.some(({ compositionOffset }) => compositionOffset !== 0);
  const flags =
    TRUN.dataOffset |
    TRUN.size |
    (firstFlags === undefined ? 0 : TRUN.firstFlags) |
    (hasDurations ? TRUN.duration : 0) |
    (hasOwnFlags ? TRUN.flags : 0) |
    (hasOffsets ? TRUN.composition : 0);
  const entrySize = 4 + (hasDurations ? 4 : 0) + (hasOwnFlags ? 4 : 0) + (hasOffsets ? 4 : 0);
  const entries = Buffer.allocUnsafe(samples.length * entrySize);
  let at = 0;
  for (const sample of samples) {
    if (hasDurations) at = entries.writeUInt32BE(sample.duration, at);
    at = entries.writeUInt32BE(sample.data.length, at);
    if (hasOwnFlags) at = entries.writeUInt32BE(flagsOf(sample), at);
    if (hasOffsets) at = entries.writeInt32BE(sample.compositionOffset, at);
  }
  const fields = u32(samples.length, 0, ...(firstFlags === undefined ? [] : [firstFlags]));
  return fullBox('trun', 1, flags, fields, entries);
}

/**
 * Where the clear and the encrypted bytes of each sample are. ISO 23001-7 §7.2, ISO 14496-12 §8.7.8, §8.7.9. IVs are
 * constant and so not among them.
 */
function auxiliaryBoxes({ track, samples }: TrackRunHead, subsamples: readonly (readonly Subsample[])[]) {
  if (subsamples.length !== samples.length) {
    const found = `${subsamples.length} lists of subsamples for ${samples.length} samples`;
    throw new MediaError('malformed', `${found} of track ${track}`);
  }
  const infos = subsamples.map((parts) =>
    Buffer.concat([u16(parts.length), ...parts.flatMap(({ clear, encrypted }) => [u16(clear), u32(encrypted)])]),
  );
  const longest = infos.reduce((most, { length }) => Math.max(most, length), 0);
  if (longest > MAX_AUXILIARY) {
    const found = `an encrypted sample whose parts take ${longest} bytes to tell`;
    throw new MediaError('too-large', `${found}, ${MAX_AUXILIARY} are possible; send fewer slices in a picture`);
  }
  return {
    saiz: fullBox('saiz', 0, 0, u8(0), u32(infos.length), u8(...infos.map(({ length }) => length))),
    saio: fullBox('saio', 0, 0, u32(1, 0)),
    senc: fullBox('senc', 0, SENC_SUBSAMPLES, u32(infos.length), ...infos),
  };
}
