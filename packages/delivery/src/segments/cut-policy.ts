import { type Micros, micros, type Sample } from '@sluice/media';

/** An encoder's GOPs waver by a frame or two; a keyframe this early still ends the segment. */
const EARLY_CUT = 0.9;
/** Without a keyframe a first segment is cut after so long, to bound what is held. */
const MAX_TARGETS = 10;
const MIN_FORCED_CUT = 20_000_000;
const SECOND = 1_000_000;
/** Segments are as long as they say when rounded, RFC 8216 §4.3.3.1; a frame is left for the last sample. */
const ROUNDING = 450_000;

/** Says where segments end: at keyframes, or anywhere if there is no picture. */
export class CutPolicy {
  readonly #target: Micros;
  #longest: Micros;

  constructor(target: Micros) {
    this.#target = target;
    this.#longest = micros(Math.max(target * MAX_TARGETS, MIN_FORCED_CUT));
  }

  /** The target duration in whole seconds, which can't change any more once it has been told. */
  promise(seconds: number): void {
    this.#longest = micros(seconds * SECOND + ROUNDING);
  }

  /** Whether a segment ends before a sample. @param elapsed since the segment began */
  cutsBefore(sample: Sample, elapsed: number, hasVideo: boolean): boolean {
    if (elapsed >= this.#longest) return true;
    if (elapsed < this.#target * EARLY_CUT) return false;
    return hasVideo ? sample.kind === 'video' && sample.keyframe : elapsed >= this.#target;
  }
}
