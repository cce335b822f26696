import { stripTemporalDelimiters } from '../../codecs/av1.js';
import { withFourByteLengths } from '../../codecs/nal.js';
import { MediaError } from '../../errors.js';
import type { Sample } from '../../sample.js';
import { micros } from '../../time.js';
import { microsFromTicks } from '../track-time.js';
import type { MovieTrack } from './movie-reader.js';

/** Where a sample's bytes are, and its times in ticks. */
export interface SamplePlace {
  /** In the file. */
  readonly offset: number;
  readonly size: number;
  readonly dts: number;
  readonly compositionOffset: number;
  readonly keyframe: boolean;
}

/**
 * @param bytes those of the file from `start` on, as far as they are there
 * @returns undefined for a sample of no bytes
 * @throws {MediaError} `truncated` where the sample isn't inside; where its NAL units or OBUs can't be read
 */
export function sampleAt(track: MovieTrack, place: SamplePlace, bytes: Buffer, start: number): Sample | undefined {
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

/**
 * Samples don't share bytes. Those of a forged file could ask for more than there is of it.
 *
 * @throws {MediaError} `malformed`
 */
export function checkTotalSize(places: readonly SamplePlace[], available: number): void {
  const total = places.reduce((sum, { size }) => sum + size, 0);
  if (total <= available) return;
  throw new MediaError('malformed', `${places.length} samples of ${total} bytes in ${available}`);
}

function dataOf({ config, lengthSize }: MovieTrack, bytes: Buffer): Buffer {
  if (config.codec === 'h264' || config.codec === 'hevc') return withFourByteLengths(bytes, lengthSize);
  return config.codec === 'av1' ? stripTemporalDelimiters(bytes) : bytes;
}
