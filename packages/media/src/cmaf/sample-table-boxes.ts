import { MediaError } from '../errors.js';
import type { TrackConfig } from '../track-config.js';
import { fullBox, MAX_UINT32, u32 } from './box.js';
import type { SampleColumns } from './reading/sample-columns.js';

/** The boxes of a track's `stbl` that tell where its samples are, and how many ticks they take in all. */
export interface SampleTables {
  readonly boxes: readonly Buffer[];
  readonly duration: number;
}

/**
 * The tables of a track's samples. A chunk is what lies in one piece. Where a sample ends before the next one begins,
 * it lasts up to that one: tables know no gaps. ISO 14496-12 §8.6.1, §8.7.
 *
 * @param shift is added to the samples' offsets
 * @throws {MediaError} `malformed` where decoding times go back, or stand still for longer than 32 bits tell
 */
export function sampleTables(config: TrackConfig, columns: SampleColumns, shift: number): SampleTables {
  const { count, dts, durations, keyframes } = columns;
  const last = count - 1;
  const start = dts[0] ?? 0;
  const end = (dts[last] ?? 0) + (durations[last] ?? 0);
  const lasts = (index: number) => {
    const duration = index === last ? (durations[index] ?? 0) : (dts[index + 1] ?? 0) - (dts[index] ?? 0);
    if (duration >= 0 && duration <= MAX_UINT32) return duration;
    const found = `sample ${index} of track ${config.track} at ${dts[index]} ticks, and the next one at ${dts[index + 1]}`;
    throw new MediaError('malformed', `${found}: tables can't tell this, the file stays in fragments`);
  };
  const isSync = config.kind === 'audio' || keyframes.every((value) => value === 1);
  return {
    boxes: [
      fullBox('stts', 0, 0, runTable(count, lasts)),
      ...compositionBox(columns),
      ...(isSync ? [] : [syncBox(keyframes)]),
      ...chunkBoxes(columns, shift),
      sizeBox(columns),
    ],
    duration: end - start,
  };
}

/** How often each value comes in a row: a count of entries, and the entries. */
function runTable(count: number, valueAt: (index: number) => number): Buffer {
  let entries = 0;
  for (let index = 0, before: number | undefined; index < count; index++) {
    const value = valueAt(index);
    if (value !== before) entries += 1;
    before = value;
  }
  const bytes = Buffer.alloc(4 + entries * 8);
  bytes.writeUInt32BE(entries);
  let at = 4;
  for (let index = 0; index < count; ) {
    const value = valueAt(index);
    let next = index + 1;
    while (next < count && valueAt(next) === value) next += 1;
    bytes.writeUInt32BE(next - index, at);
    bytes.writeUInt32BE(value >>> 0, at + 4);
    at += 8;
    index = next;
  }
  return bytes;
}

/** Version 0, which all readers know, has no sign. ISO 14496-12 §8.6.1.3. */
function compositionBox({ count, compositionOffsets }: SampleColumns): Buffer[] {
  if (compositionOffsets.every((offset) => offset === 0)) return [];
  const version = compositionOffsets.some((offset) => offset < 0) ? 1 : 0;
  return [
    fullBox(
      'ctts',
      version,
      0,
      runTable(count, (index) => compositionOffsets[index] ?? 0),
    ),
  ];
}

/** ISO 14496-12 §8.6.2. */
function syncBox(keyframes: Uint8Array): Buffer {
  const bytes = Buffer.alloc(4 + 4 * keyframes.reduce((sum, value) => sum + value, 0));
  let at = bytes.writeUInt32BE(bytes.length / 4 - 1);
  for (const [index, value] of keyframes.entries()) if (value === 1) at = bytes.writeUInt32BE(index + 1, at);
  return fullBox('stss', 0, 0, bytes);
}

/** `stsc`, and `stco` or, past 4 GiB, `co64`. ISO 14496-12 §8.7.4, §8.7.5. */
function chunkBoxes(columns: SampleColumns, shift: number): Buffer[] {
  const { starts, lengths } = chunksOf(columns);
  const changes = lengths.flatMap((length, chunk) => (length === lengths[chunk - 1] ? [] : [chunk + 1, length, 1]));
  const isLong = starts.some((start) => start + shift > MAX_UINT32);
  const places = starts.flatMap((start) => {
    const at = start + shift;
    return isLong ? [Math.floor(at / 2 ** 32), at % 2 ** 32] : [at];
  });
  return [
    fullBox('stsc', 0, 0, u32(changes.length / 3), words(changes)),
    fullBox(isLong ? 'co64' : 'stco', 0, 0, u32(starts.length), words(places)),
  ];
}

/** Where stretches of samples begin that lie in one piece, and how many are in each. */
function chunksOf({ count, offsets, sizes }: SampleColumns) {
  const starts: number[] = [];
  const lengths: number[] = [];
  for (let index = 0; index < count; ) {
    let next = index + 1;
    while (next < count && offsets[next] === (offsets[next - 1] ?? 0) + (sizes[next - 1] ?? 0)) next += 1;
    starts.push(offsets[index] ?? 0);
    lengths.push(next - index);
    index = next;
  }
  return { starts, lengths };
}

/** ISO 14496-12 §8.7.3. */
function sizeBox({ count, sizes }: SampleColumns): Buffer {
  const [first = 0] = sizes;
  if (first > 0 && sizes.every((size) => size === first)) return fullBox('stsz', 0, 0, u32(first, count));
  const bytes = Buffer.alloc(count * 4);
  for (const [index, size] of sizes.entries()) bytes.writeUInt32BE(size, index * 4);
  return fullBox('stsz', 0, 0, u32(0, count), bytes);
}

/** As `u32`, for as many as there may be. */
function words(values: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4);
  return bytes;
}
