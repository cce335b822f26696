import { createHash } from 'node:crypto';
import type { Sample } from '../../sample.js';
import { type Mp4Index, mp4Sample } from '../reading/mp4-index.js';
import { scanMp4 } from '../reading/scan-mp4.js';
import type { FileRead } from '../reading/scan-window.js';
import type { Media } from './packaged.js';

/** Scans a file that is in memory, and tells what was read of it. */
export function scanned(
  file: Buffer,
  known?: Mp4Index,
): { readonly index: Mp4Index; readonly reads: readonly FileRead[] } {
  const reads: FileRead[] = [];
  const scan = scanMp4(file.length, known);
  let step = scan.next();
  while (!step.done) {
    const { offset, length } = step.value;
    if (offset < 0 || length <= 0 || offset + length > file.length)
      throw new Error(`read ${length} bytes at ${offset}`);
    reads.push(step.value);
    step = scan.next(file.subarray(offset, offset + length));
  }
  return { index: step.value, reads };
}

/** All samples of an index, track by track. */
export function samplesOf({ tracks }: Pick<Mp4Index, 'tracks'>, file: Buffer): Sample[] {
  return tracks.flatMap((track) =>
    Array.from(track.offsets, (offset, at) => {
      const sample = mp4Sample(track, at, file.subarray(offset, offset + (track.sizes[at] ?? 0)));
      return sample === undefined ? [] : [sample];
    }).flat(),
  );
}

/** The samples of a stream in the same order: track by track. */
export function byTrack({ configs, samples }: Media): Sample[] {
  return configs.flatMap(({ track }) => samples.filter((sample) => sample.track === track));
}

/** What of samples two files have to have in common, in a form that is compared fast; times apart, by `drift`. */
export function told(samples: readonly Sample[]): string[] {
  return samples.map(({ track, keyframe, data }) => {
    const digest = createHash('md5').update(data).digest('base64');
    return [track, keyframe, data.length, digest].join(' ');
  });
}

/** The greatest difference between times of samples, in µs. */
export function drift(a: readonly Sample[], b: readonly Sample[]): number {
  return a.reduce((most, { dts, pts }, at) => {
    const other = b[at];
    if (other === undefined) return Number.POSITIVE_INFINITY;
    return Math.max(most, Math.abs(dts - other.dts), Math.abs(pts - other.pts));
  }, 0);
}
