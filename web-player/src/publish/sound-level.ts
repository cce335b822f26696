/** Below this there is silence, as far as a meter goes. */
export const SILENCE_DB = -60;
/** What the shown level falls by, in dB per second; it rises at once, so that no peak is missed. */
const FALL = 26;

/**
 * The level of the loudest sample, in dB below full scale, from `SILENCE_DB` to 0.
 *
 * @param samples from -1 to 1
 */
export function peakLevel(samples: Iterable<number>): number {
  let peak = 0;
  for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
  return Math.min(0, Math.max(SILENCE_DB, 20 * Math.log10(peak)));
}

/** The level to show, given the one shown `seconds` ago. */
export function fallingLevel(shown: number, level: number, seconds: number): number {
  return Math.max(level, SILENCE_DB, shown - FALL * seconds);
}
