/** Sampling frequencies by index, ISO 14496-3 table 1.18. */
export const SAMPLE_RATES: readonly number[] = [
  96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350,
];
/** The index that says that the rate is written out. */
export const EXPLICIT_RATE = 15;
