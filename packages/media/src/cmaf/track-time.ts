import { type Micros, micros } from '../time.js';
import type { TrackConfig, TrackId } from '../track-config.js';

/** Of pictures: the frame rates in use come out even, or nearly. */
const VIDEO_TIMESCALE = 90_000;
const MICROS = 1_000_000;

/** Ticks a second of a track: 90000 for pictures, the rate of the sound (with SBR, the doubled one) for sound. */
export function timescaleOf(config: TrackConfig): number {
  return config.kind === 'video' ? VIDEO_TIMESCALE : config.sampleRate;
}

/**
 * A time in whole ticks. Exact to half a tick wherever the time stands, since whole seconds are counted apart: 2^53 µs
 * times a timescale would not fit into a number.
 */
export function ticksFromMicros(time: Micros, timescale: number): number {
  const seconds = Math.floor(time / MICROS);
  return seconds * timescale + Math.round(((time - seconds * MICROS) * timescale) / MICROS);
}

/** The opposite of `ticksFromMicros`: ticks survive the way there and back, at timescales below 500000. */
export function microsFromTicks(ticks: number, timescale: number): Micros {
  const seconds = Math.floor(ticks / timescale);
  return micros(seconds * MICROS + Math.round(((ticks - seconds * timescale) * MICROS) / timescale));
}

/** Track numbers of boxes begin at 1. ISO 14496-12 §8.3.2.3. */
export const boxTrackId = (track: TrackId): number => track + 1;
export const trackIdOfBox = (id: number): TrackId => id - 1;
