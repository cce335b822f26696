import { micros } from '../../time.js';
import type { TrackId } from '../../track-config.js';
import { writeFragment } from '../fragment.js';
import { FragmentWriter } from '../fragment-writer.js';
import { type Mp4FinishStep, writeGrowingMp4Head } from '../growing-mp4.js';
import type { InitTrackOptions } from '../init-segment.js';
import type { Media } from './packaged.js';

export interface GrowingOptions {
  readonly reserve?: number;
  readonly tracks?: ReadonlyMap<TrackId, InitTrackOptions>;
  /** µs; a second if not given. */
  readonly fragment?: number;
}

/** A recording as it grows: its head, then its fragments. */
export function growing({ configs, samples }: Media, options: GrowingOptions = {}): Buffer[] {
  const { reserve = 65_536, tracks, fragment = 1_000_000 } = options;
  const { front, hole, movie, length } = writeGrowingMp4Head(configs, {
    reserve,
    ...(tracks === undefined ? {} : { tracks }),
  });
  const head = Buffer.concat([front, Buffer.alloc(hole), movie]);
  if (head.length !== length) throw new Error(`${head.length} bytes, ${length} were said`);
  const parts = [head];
  const writers = new Map(configs.map((config) => [config.track, new FragmentWriter(config)]));
  const cut = (isLast: boolean) => {
    const runs = [...writers.values()].flatMap((writer) => (isLast ? writer.finish() : writer.take()) ?? []);
    if (runs.length > 0) parts.push(Buffer.concat(writeFragment(runs, { sequence: parts.length }).pieces));
  };
  let start = samples[0]?.dts ?? micros(0);
  for (const sample of samples) {
    if (sample.dts - start >= fragment) {
      cut(false);
      start = sample.dts;
    }
    writers.get(sample.track)?.push(sample);
  }
  cut(true);
  return parts;
}

/** What the file is after a step. */
export function after(file: Buffer, step: Mp4FinishStep): Buffer {
  switch (step.kind) {
    case 'sync':
      return file;
    case 'truncate':
      return file.subarray(0, step.length);
    case 'write': {
      const { offset, bytes } = step;
      const whole = Buffer.alloc(Math.max(file.length, offset + bytes.length));
      file.copy(whole);
      bytes.copy(whole, offset);
      return whole;
    }
  }
}
