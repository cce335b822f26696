import { MediaError } from '../../errors.js';
import type { FieldReader } from '../field-reader.js';
import { type FoundBox, fieldsOf, findBox, requireBox } from './boxes.js';
import { GrowingColumns, type SampleColumns } from './sample-columns.js';

/** A day of sound at 96 kHz. */
const MAX_SAMPLES = 10_000_000;

/**
 * The samples of a track, from the boxes of its `stbl`. ISO 14496-12 §8.6.1, §8.7.
 *
 * @param available bytes of the file
 * @throws {MediaError} `malformed`, `truncated` or `too-large`
 */
export function readSampleTable(tables: readonly FoundBox[], available: number): SampleColumns {
  const columns = new GrowingColumns();
  const sizes = readSizes(requireBox(tables, 'stsz', 'stbl'), available);
  if (sizes.count === 0) return columns.columns();
  const duration = runs(requireBox(tables, 'stts', 'stbl'), (fields) => fields.u32());
  const composition = optionalRuns(findBox(tables, 'ctts'));
  const keyframes = readKeyframes(findBox(tables, 'stss'));
  const offsets = readChunkOffsets(tables);
  const perChunk = readChunkLengths(requireBox(tables, 'stsc', 'stbl'));
  let dts = 0;
  for (let chunk = 0; columns.count < sizes.count; chunk++) {
    if (chunk >= offsets.count) {
      const found = `${sizes.count} samples, of which ${columns.count} are in its ${offsets.count} chunks`;
      throw new MediaError('malformed', `an stbl box of ${found}`);
    }
    let offset = offsets.next();
    const inChunk = Math.min(perChunk(chunk + 1), sizes.count - columns.count);
    for (let sample = 0; sample < inChunk; sample++) {
      const size = sizes.next();
      const keyframe = keyframes === undefined || keyframes.has(columns.count + 1);
      const place = { offset, size, dts, duration: duration(), compositionOffset: composition(), keyframe };
      columns.push(place);
      offset += size;
      dts += place.duration;
    }
  }
  return decodedInTime(columns.columns());
}

/** Where offsets have a sign, pictures may be due before they are decoded: all are decoded earlier by as much. */
function decodedInTime(columns: SampleColumns): SampleColumns {
  const early = columns.compositionOffsets.reduce((least, offset) => Math.min(least, offset), 0);
  if (early === 0) return columns;
  return {
    ...columns,
    dts: columns.dts.map((dts) => dts + early),
    compositionOffsets: columns.compositionOffsets.map((offset) => offset - early),
  };
}

interface Sizes {
  readonly count: number;
  readonly next: () => number;
}

function readSizes(stsz: FoundBox, available: number): Sizes {
  const fields = fieldsOf(stsz);
  fields.skip(4);
  const same = fields.u32();
  const count = same === 0 ? fields.count(4) : fields.u32();
  if (count > MAX_SAMPLES) throw new MediaError('too-large', `a track of ${count} samples, ${MAX_SAMPLES} are read`);
  if (same * count > available) throw new MediaError('malformed', `${count} samples of ${same} bytes in ${available}`);
  return { count, next: same === 0 ? () => fields.u32() : () => same };
}

/** A value for each sample from a table of how often each value comes in a row. */
function runs(box: FoundBox, readValue: (fields: FieldReader) => number): () => number {
  const fields = fieldsOf(box);
  fields.skip(4);
  let entries = fields.count(8);
  let left = 0;
  let value = 0;
  return () => {
    while (left === 0) {
      if (entries === 0) throw new MediaError('malformed', `a ${box.type} box that ends before the samples do`);
      entries -= 1;
      left = fields.u32();
      value = readValue(fields);
    }
    left -= 1;
    return value;
  };
}

function optionalRuns(ctts: FoundBox | undefined): () => number {
  if (ctts === undefined) return () => 0;
  // Version 0 says unsigned, and is signed in files of QuickTime. ISO 14496-12 §8.6.1.3
  return runs(ctts, (fields) => fields.i32());
}

/** Numbers of samples, from 1 on; undefined where all are. */
function readKeyframes(stss: FoundBox | undefined): ReadonlySet<number> | undefined {
  if (stss === undefined) return undefined;
  const fields = fieldsOf(stss);
  fields.skip(4);
  return new Set(Array.from({ length: fields.count(4) }, () => fields.u32()));
}

function readChunkOffsets(tables: readonly FoundBox[]): Sizes {
  const co64 = findBox(tables, 'co64');
  const fields = fieldsOf(co64 ?? requireBox(tables, 'stco', 'stbl'));
  fields.skip(4);
  const count = fields.count(co64 === undefined ? 4 : 8);
  return { count, next: co64 === undefined ? () => fields.u32() : () => fields.u64() };
}

/** @returns how many samples a chunk has; to be asked for chunks in order, from 1 on */
function readChunkLengths(stsc: FoundBox): (chunk: number) => number {
  const fields = fieldsOf(stsc);
  fields.skip(4);
  let entries = fields.count(12);
  const readEntry = () => {
    if (entries === 0) return undefined;
    entries -= 1;
    const entry = { firstChunk: fields.u32(), samples: fields.u32(), description: fields.u32() };
    if (entry.description === 1) return entry;
    throw new MediaError('unsupported', `samples of description ${entry.description}, 1 is read`);
  };
  let current = readEntry();
  if (current?.firstChunk !== 1) throw new MediaError('malformed', "an stsc box that doesn't begin at chunk 1");
  let next = readEntry();
  return (chunk) => {
    while (next !== undefined && next.firstChunk <= chunk) {
      current = next;
      next = readEntry();
    }
    return current?.samples ?? 0;
  };
}
