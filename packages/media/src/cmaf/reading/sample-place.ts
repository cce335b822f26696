import { stripTemporalDelimiters } from '../../codecs/av1.js';
import { withFourByteLengths } from '../../codecs/nal.js';
import { MediaError } from '../../errors.js';
import type { Sample } from '../../sample.js';
import { micros } from '../../time.js';
import { microsFromTicks } from '../track-time.js';
import type { MovieTrack } from './movie-reader.js';

/** What of a track its samples are made by. */
export type SampleTrack = Pick<MovieTrack, 'config' | 'lengthSize' | 'timescale' | 'skip' | 'delay'>;

/** Where a sample's bytes are, and its times in ticks. */
export interface SamplePlace {
  /** In the file. */
  readonly offset: number;
  readonly size: number;
  readonly dts: number;
  readonly duration: number;
  readonly compositionOffset: number;
  readonly keyframe: boolean;
}

/**
 * @param bytes those of the file from `start` on, as far as they are there
 * @returns undefined for a sample of no bytes
 * @throws {MediaError} `truncated` where the sample isn't inside; where its NAL units or OBUs can't be read
 */
export function sampleAt(track: SampleTrack, place: SamplePlace, bytes: Buffer, start: number): Sample | undefined {
  const { config, timescale, skip, delay } = track;
  const at = place.offset - start;
  if (at < 0 || place.size > bytes.length - at) {
    const where = `at ${place.offset}, and there is ${start} to ${start + bytes.length}`;
    throw new MediaError('truncated', `a sample of ${place.size} bytes ${where}`);
  }
  const data = dataOf(track, bytes.subarray(at, at + place.size));
  if (data.length === 0) return undefined;
  const time = (ticks: number) => micros(microsFromTicks(ticks - skip, timescale) + delay);
  return {
    track: config.track,
    kind: config.kind,
    dts: time(place.dts),
    pts: time(place.dts + place.compositionOffset),
    keyframe: config.kind === 'audio' || place.keyframe,
    data,
  };
}

function dataOf({ config, lengthSize }: SampleTrack, bytes: Buffer): Buffer {
  if (config.codec === 'h264' || config.codec === 'hevc') return withFourByteLengths(bytes, lengthSize);
  return config.codec === 'av1' ? stripTemporalDelimiters(bytes) : bytes;
}
