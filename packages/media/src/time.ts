/**
 * Units of time. A bare `number` of unknown unit never crosses a module's boundary: each unit is branded,
 * and conversions happen in the adapters of a protocol only.
 *
 * Inside the house time is counted in whole microseconds. Every timescale of the field (1 ms, 90 kHz, 44.1 kHz,
 * 48 kHz) survives the round trip `ticks → µs → ticks` unchanged, and 2^53 µs are 285 years.
 */
declare const unit: unique symbol;

/** Whole microseconds. The one time unit of samples. */
export type Micros = number & { readonly [unit]: 'µs' };
/** Whole milliseconds: FLV and RTMP timestamps, wall clock. */
export type Millis = number & { readonly [unit]: 'ms' };
/** Ticks of a 90 kHz clock: MPEG-TS and RTP video. */
export type Ticks90k = number & { readonly [unit]: '1/90000 s' };

export const micros = (value: number): Micros => value as Micros;
export const millis = (value: number): Millis => value as Millis;
export const ticks90k = (value: number): Ticks90k => value as Ticks90k;

export const microsFromMillis = (value: Millis): Micros => (value * 1000) as Micros;
export const millisFromMicros = (value: Micros): Millis => Math.round(value / 1000) as Millis;
export const microsFromTicks90k = (value: Ticks90k): Micros => Math.round((value * 100) / 9) as Micros;
export const ticks90kFromMicros = (value: Micros): Ticks90k => Math.round((value * 9) / 100) as Ticks90k;
export const secondsFromMicros = (value: Micros): number => value / 1_000_000;
export const microsFromSeconds = (value: number): Micros => Math.round(value * 1_000_000) as Micros;

/**
 * The value nearest to `previous` that is equal to `wrapped` modulo `2 ** bits`: undoes the wrap of a counter
 * (32-bit RTMP timestamps, 33-bit PTS). Steps of half the range or more are ambiguous and read as backward.
 */
export function unwrapCounter(previous: number, wrapped: number, bits: number): number {
  const range = 2 ** bits;
  const offset = (((wrapped - previous) % range) + range) % range;
  return previous + (offset >= range / 2 ? offset - range : offset);
}
