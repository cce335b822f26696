import type { RecordedFile } from '@sluice/core';
import { type Micros, type Mp4Index, type Mp4TrackIndex, micros, microsFromTicks } from '@sluice/media';

/** The samples of a track, counted from 0 in the order of decoding, by their times in the file: 0 is its first sample. */
export class MediaTrack {
  readonly index: Mp4TrackIndex;
  readonly #origin: number;

  /** @param origin when the file's first sample is decoded, in its presentation */
  constructor(index: Mp4TrackIndex, origin: number) {
    this.index = index;
    this.#origin = origin;
  }

  get count(): number {
    return this.index.count;
  }

  get isVideo(): boolean {
    return this.index.config.kind === 'video';
  }

  /** When a sample is decoded. */
  dts(sample: number): Micros {
    return this.#time(this.index.dts[sample] ?? 0);
  }

  /** When a sample is presented. */
  pts(sample: number): Micros {
    return this.#time((this.index.dts[sample] ?? 0) + (this.index.compositionOffsets[sample] ?? 0));
  }

  /** When the next sample is decoded, if it follows without a gap. */
  end(sample: number): Micros {
    return this.#time((this.index.dts[sample] ?? 0) + (this.index.durations[sample] ?? 0));
  }

  isKeyframe(sample: number): boolean {
    return sample < this.count && (!this.isVideo || this.index.keyframes[sample] === 1);
  }

  /** The first sample that is decoded at a time or after it; `count` where there is none. */
  atOrAfter(time: number): number {
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.dts(middle) < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The last keyframe that is decoded at a time or before it. */
  keyframeUpTo(time: number): number | undefined {
    const last = this.atOrAfter(time + 1) - 1;
    if (last < 0) return undefined;
    const sample = this.isVideo ? this.index.keyframes.lastIndexOf(1, last) : last;
    return sample < 0 ? undefined : sample;
  }

  /** The first keyframe from a sample on. */
  keyframeFrom(sample: number): number | undefined {
    const found = this.isVideo ? this.index.keyframes.indexOf(1, sample) : sample;
    return found < 0 || found >= this.count ? undefined : found;
  }

  #time(ticks: number): Micros {
    const { timescale, skip, delay } = this.index;
    return micros(microsFromTicks(ticks - skip, timescale) + delay - this.#origin);
  }
}

/** An MP4 file of a recording, with all its samples known. */
export class RecordedMedia {
  readonly file: RecordedFile;
  /** Those with samples, in the order of their numbers. */
  readonly tracks: readonly MediaTrack[];
  /** The track that cuts go by: the picture, or else the sound. Undefined for a file without samples. */
  readonly clock: MediaTrack | undefined;
  /** Of memory. */
  readonly bytes: number;

  constructor(file: RecordedFile, { tracks }: Mp4Index) {
    this.file = file;
    const filled = tracks
      .filter(({ count }) => count > 0)
      .sort((a, b) => a.config.track - b.config.track)
      .map((track) => new MediaTrack(track, 0));
    const origin = filled.reduce((first, track) => Math.min(first, track.dts(0)), Number.POSITIVE_INFINITY);
    this.tracks = filled.map(({ index }) => new MediaTrack(index, origin));
    this.clock = this.tracks.find(({ isVideo }) => isVideo) ?? this.tracks[0];
    this.bytes = tracks.reduce((sum, { count }) => sum + count * BYTES_PER_SAMPLE, FIXED_BYTES);
  }

  /** Whether a time is so near to the end, or behind it, that what comes next is meant: the next file may begin there. */
  isOver(time: number): boolean {
    const { clock } = this;
    return clock === undefined || time >= clock.end(clock.count - 1) - SEAM_MICROS;
  }

  /** When its last sample ends. */
  get end(): Micros {
    return micros(this.tracks.reduce((end, track) => Math.max(end, track.end(track.count - 1)), 0));
  }
}

/** Clocks of files and of who asks differ by so much, in µs. */
const SEAM_MICROS = 100_000;
const BYTES_PER_SAMPLE = 29;
const FIXED_BYTES = 2000;
