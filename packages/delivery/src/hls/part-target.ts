import { type Micros, micros } from '@sluice/media';

/** Frames that differ by less are all of one length: timestamps of RTMP are whole milliseconds. */
const STEADY = 1.3;
/** RFC 8216bis §4.4.4.9: parts last 85 % of the target at least. */
const LEAST_SHARE = 0.85;
const TOLERANCE = 1.02;
const ROUND = 1000;

/**
 * How long parts are at most. It fits to the frames, of which a part has whole ones: of steady ones as many as come
 * nearest to what is wanted, of others so many that one more or less makes little difference.
 */
export class PartTarget {
  readonly #wanted: Micros;
  #last: Micros | undefined;
  #frames = 0;
  #sum = 0;
  #shortest = Number.POSITIVE_INFINITY;
  #longest = 0;
  #lastFrame = 0;
  #isSteady = true;
  #decided: Micros | undefined;

  constructor(wanted: Micros) {
    this.#wanted = wanted;
  }

  /** Undefined until it has been decided. */
  get target(): Micros | undefined {
    return this.#decided;
  }

  /** Takes note of a frame of the track that parts go by. */
  frame(dts: Micros): void {
    if (this.#last !== undefined && dts > this.#last) {
      const duration = dts - this.#last;
      this.#lastFrame = duration;
      if (this.#decided !== undefined) {
        this.#last = dts;
        return;
      }
      this.#frames += 1;
      this.#sum += duration;
      this.#shortest = Math.min(this.#shortest, duration);
      this.#longest = Math.max(this.#longest, duration);
    }
    this.#last = dts;
  }

  /** What comes next doesn't follow on what was: the time between is no frame's. */
  discontinuity(): void {
    this.#last = undefined;
  }

  /** From now on it doesn't change. */
  decide(): void {
    if (this.#decided !== undefined) return;
    if (this.#frames === 0) {
      // A first segment of one picture tells nothing, and a playlist that has been seen may not change its mind.
      this.#isSteady = false;
      this.#decided = this.#wanted;
      return;
    }
    const mean = this.#sum / this.#frames;
    this.#isSteady = this.#longest <= this.#shortest * STEADY;
    const steady = Math.max(1, Math.round(this.#wanted / mean)) * mean * TOLERANCE;
    const unsteady = Math.max(this.#wanted, this.#longest / (1 - LEAST_SHARE) / (2 - TOLERANCE));
    this.#decided = micros(Math.ceil((this.#isSteady ? steady : unsteady) / ROUND) * ROUND);
  }

  /** Whether a part ends before a frame, for with it it would be too long. @param elapsed since the part began */
  cutsBefore(elapsed: number): boolean {
    const expected = this.#isSteady ? this.#lastFrame : Math.max(this.#longest, this.#lastFrame);
    return this.#decided !== undefined && elapsed + expected > this.#decided;
  }
}
