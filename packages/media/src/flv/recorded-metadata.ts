import { decodeAmf0, EcmaArray, encodeAmf0 } from '../amf/amf0.js';
import { type AmfObject, type AmfValue, isAmfObject } from '../amf/value.js';
import { MediaError } from '../errors.js';
import { microsFromMillis, secondsFromMicros } from '../time.js';
import type { FlvIndex, FlvKeyframe } from './scan.js';

const NAME = 'onMetaData';
/** Room that isn't used is text under names that begin so, which players pass over. */
const FILLER = 'filler';
/** FFmpeg reads no text of 1024 bytes or more. */
const MAX_TEXT = 1000;
/** A key with three digits, the marker and the length of a short text, besides the text. */
const ENTRY_BYTES = 2 + FILLER.length + 3 + 3;
/** A number in each of two arrays. */
const KEYFRAME_BYTES = 18;
/** What is written besides keyframes. */
const OTHER_BYTES = 256;
/** Readers bound how many values they take; ours among them. */
const MAX_KEYFRAMES = 4096;

/** Text to reserve room in the metadata of a file that grows, for an index of so many keyframes and what else is known at its end. */
export function reservedMetadata(keyframes: number): AmfObject {
  const bytes = OTHER_BYTES + KEYFRAME_BYTES * Math.min(Math.max(0, Math.ceil(keyframes)), MAX_KEYFRAMES);
  return { duration: 0, filesize: 0, ...filler(bytes) };
}

/**
 * Metadata of a whole file, as long as the body that it had while it grew: duration, size and, where there is room, an
 * index of keyframes, thinned out to fit.
 *
 * @returns undefined where there is room for nothing
 */
export function completeFlvMetadata(body: Buffer, index: FlvIndex): Buffer | undefined {
  const before = entriesOf(body);
  const numbers = {
    duration: secondsOf(index.duration),
    filesize: index.end,
    lasttimestamp: secondsOf(index.lastTimestamp),
  };
  for (let stride = strideFor(index.keyframes.length, body.length); ; stride++) {
    const keyframes = index.keyframes.filter((_, at) => at % stride === 0);
    if (keyframes.length === 0) break;
    const entries = { ...before, ...numbers, hasKeyframes: true, keyframes: keyframeLists(keyframes, index) };
    const filled = filledUp(entries, body.length);
    if (filled !== undefined) return filled;
    if (keyframes.length === 1) break;
  }
  const known = Object.entries(numbers).filter(([name]) => typeof before[name] === 'number');
  return (
    filledUp({ ...before, ...numbers }, body.length) ??
    (known.length === 0 ? undefined : filledUp({ ...before, ...Object.fromEntries(known) }, body.length))
  );
}

/** What the metadata said, without filler; nothing where a crash tore it. */
function entriesOf(body: Buffer): AmfObject {
  try {
    const [name, value] = decodeAmf0(body, 2);
    if (name !== NAME || value === undefined || !isAmfObject(value)) return {};
    return Object.fromEntries(
      Object.entries(value).filter(([key]) => !key.startsWith(FILLER) && key !== 'keyframes' && key !== 'hasKeyframes'),
    );
  } catch (error) {
    if (!(error instanceof MediaError)) throw error;
    return {};
  }
}

function strideFor(keyframes: number, bytes: number): number {
  return Math.max(1, Math.ceil((keyframes * KEYFRAME_BYTES) / bytes), Math.ceil(keyframes / MAX_KEYFRAMES));
}

/** Players take the first entry for that of the configuration, and seek by the others. */
function keyframeLists(keyframes: readonly FlvKeyframe[], { videoConfigAt }: FlvIndex): AmfObject {
  const [first] = keyframes;
  const config = first === undefined || videoConfigAt === undefined ? [] : [{ at: first.at, offset: videoConfigAt }];
  const all = [...config, ...keyframes];
  return { filepositions: all.map(({ offset }) => offset), times: all.map(({ at }) => secondsOf(at)) };
}

/** The metadata at exactly a length. */
function filledUp(entries: AmfObject, length: number): Buffer | undefined {
  const bare = encode(entries);
  const gap = length - bare.length;
  if (gap === 0) return bare;
  if (gap < ENTRY_BYTES) return undefined;
  const filled = encode({ ...entries, ...filler(gap) });
  // Of a file by somebody else it may be so long that the names of the filler are longer.
  return filled.length === length ? filled : undefined;
}

/** Entries that take up so many bytes, of which there are enough for one. */
function filler(bytes: number): AmfObject {
  const count = Math.ceil(bytes / (ENTRY_BYTES + MAX_TEXT));
  const text = bytes - count * ENTRY_BYTES;
  const entries = Array.from({ length: count }, (_, at): [string, string] => {
    const letters = Math.floor(text / count) + (at < text % count ? 1 : 0);
    return [`${FILLER}${String(at).padStart(3, '0')}`, ' '.repeat(letters)];
  });
  return Object.fromEntries(entries);
}

function encode(entries: Readonly<Record<string, AmfValue>>): Buffer {
  return encodeAmf0(NAME, new EcmaArray(entries));
}

const secondsOf = (time: FlvIndex['duration']): number => secondsFromMicros(microsFromMillis(time));
