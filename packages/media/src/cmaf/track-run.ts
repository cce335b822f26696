import type { TrackConfig, TrackId } from '../track-config.js';

/** A sample as a fragment has it. Times are ticks of the track's timescale. */
export interface FragmentSample {
  readonly data: Buffer;
  readonly duration: number;
  /** Presentation less decoding time. */
  readonly compositionOffset: number;
  readonly keyframe: boolean;
}

/** A stretch of a sample, of which the first bytes are clear and those behind them are encrypted by the pattern. */
export interface Subsample {
  readonly clear: number;
  readonly encrypted: number;
}

/** Consecutive samples of one track. */
export interface TrackRun {
  readonly track: TrackId;
  readonly kind: TrackConfig['kind'];
  readonly timescale: number;
  /** Decoding time of the first sample, in ticks: 0 to 2^53 - 1. */
  readonly baseDecodeTime: number;
  /** One or more. */
  readonly samples: readonly FragmentSample[];
  /** Of each sample, where the run is encrypted in parts; empty where samples are encrypted whole. */
  readonly subsamples?: readonly (readonly Subsample[])[];
}

/** A run whose data are elsewhere: of each sample only its length is known. */
export interface TrackRunHead extends Omit<TrackRun, 'samples'> {
  readonly samples: readonly (Omit<FragmentSample, 'data'> & { readonly data: { readonly length: number } })[];
}
