import type { Sample } from '../sample.js';
import { type Micros, micros } from '../time.js';
import type { TrackId } from '../track-config.js';

/** What counts as a jump rather than as the stream's own unevenness. */
export interface TimelineLimits {
  /** A longer step forward is a jump: the encoder's clock was set, or it came back from a long pause. */
  readonly maxForwardJump: Micros;
  /** A longer step backward is a jump; a shorter one is bad interleaving and is nudged. */
  readonly maxBackwardJump: Micros;
  /** Tracks whose first timestamps are further apart than this have clocks of their own and are aligned on arrival. */
  readonly maxStartOffset: Micros;
  /** `pts - dts` beyond this is nonsense and is cut to it. */
  readonly maxCompositionTime: Micros;
}

export interface TimelineStats {
  readonly forwardJumps: number;
  readonly backwardJumps: number;
  /** Samples moved by a little so that dts increases. */
  readonly nudged: number;
  readonly clampedPts: number;
  readonly restarts: number;
  /** Tracks that were aligned on arrival because their clock was not the others'. */
  readonly alignedStarts: number;
  /** Samples whose dts was no number of microseconds; they were put one usual step after the last of their track. */
  readonly unreadable: number;
}

/** A sample on the stream's own timeline. */
export interface RepairedSample {
  readonly sample: Sample;
  /** The first of its track after a restart or a jump: nothing before it leads up to it. */
  readonly discontinuity: boolean;
}

/** Where a track is. All times in µs; `position` below means a track's input plus its offset. */
interface TrackClock {
  /** The publication that it was last heard in. */
  publication: number;
  lastIn: number;
  lastOut: number;
  lastStep: number;
  /** Usual distance between samples, a running average. */
  duration: number;
  /** What the track's clock differs by from that of the publication: 0 unless it was aligned on arrival. */
  base: number;
  /** Output minus input. */
  offset: number;
  /** Input and offset before its last odd step, should it come back from there. */
  beforeIn: number;
  beforeOffset: number;
}

const DEFAULT_LIMITS: TimelineLimits = {
  maxForwardJump: micros(10_000_000),
  // Not a whole second, by which clocks are often set: all tracks must agree on what was a jump.
  maxBackwardJump: micros(950_000),
  maxStartOffset: micros(10_000_000),
  maxCompositionTime: micros(10_000_000),
};

/** The first sample comes out here, so that another track may begin up to this much earlier (and up to `MAX_SKEW` more, squeezed). */
const START = 1_000_000;
/** The smallest step; survives the rounding to milliseconds of FLV. */
const MIN_STEP = 1000;
const DEFAULT_DURATION = 23_000;
/** Slower than a picture a second is a pause, not a rate. */
const MAX_DURATION = 1_000_000;
/** How far the tracks of one encoder may be apart as they arrive; multiplexers keep them within about a second. */
const MAX_SKEW = 2_000_000;
const AVERAGE_WEIGHT = 1 / 8;
/** No clock says more; up to here the sums are exact, since they stay below 2^53. */
const MAX_INPUT = 2 ** 52;
const NEVER = Number.POSITIVE_INFINITY;

/**
 * A stream's one clock. It takes samples with whatever timestamps an encoder gave them and gives them back on a
 * timeline that begins near 0, never jumps and increases strictly within each track.
 *
 * All tracks share one offset, so that sound and picture stay together. When a track's clock jumps, it takes the
 * offset with it that makes it go on without a hole, and the other tracks take over the same one as each of them
 * jumps. A track that comes back from a jump (one wrong timestamp) gets back the offset that it had.
 */
export class Timeline {
  readonly #limits: TimelineLimits;
  /** `MAX_SKEW`, or less where less is a jump already. */
  readonly #maxSkew: number;
  readonly #tracks = new Map<TrackId, TrackClock>();
  #publication = 1;
  /** The newest offset of this publication; undefined until its first sample. */
  #offset: number | undefined;
  #latestOut = 0;
  #stats = {
    forwardJumps: 0,
    backwardJumps: 0,
    nudged: 0,
    clampedPts: 0,
    restarts: 0,
    alignedStarts: 0,
    unreadable: 0,
  };

  constructor(limits: Partial<TimelineLimits> = {}) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    this.#maxSkew = Math.min(MAX_SKEW, this.#limits.maxForwardJump);
  }

  get stats(): TimelineStats {
    return { ...this.#stats };
  }

  /** A new publication begins: its timestamps have nothing to do with those before. */
  restart(): void {
    this.#stats.restarts += 1;
    if (this.#offset === undefined) return;
    this.#publication += 1;
    this.#offset = undefined;
  }

  /** The sample at its place on the timeline: a new one that shares the bytes. */
  repair(sample: Sample): RepairedSample {
    let track = this.#tracks.get(sample.track);
    if (track === undefined) {
      track = silentTrack();
      this.#tracks.set(sample.track, track);
    }
    const input = this.#read(sample.dts, track);
    let discontinuity = false;
    if (track.publication !== this.#publication) {
      discontinuity = this.#publication > 1;
      this.#enter(track, input);
    } else if (this.#strays(track, input)) {
      discontinuity = this.#follow(track, input);
    }
    return { sample: this.#place(sample, track, input), discontinuity };
  }

  /** A sample that got its place elsewhere. Publications that are repaired after it go on behind it. */
  pass({ track: id, dts }: Sample): void {
    const track = this.#tracks.get(id) ?? silentTrack();
    this.#tracks.set(id, track);
    const step = dts - track.lastOut;
    const isUsual = step > 0 && step <= MAX_DURATION;
    if (isUsual && track.lastOut >= 0) track.duration += (step - track.duration) * AVERAGE_WEIGHT;
    track.lastOut = Math.max(track.lastOut, dts);
    this.#latestOut = Math.max(this.#latestOut, dts);
  }

  /**
   * Where a time of the publication is on the timeline, for what isn't a sample. Undefined before the first sample of
   * the publication. Times of a clock that was set in between go where the newest samples went.
   */
  placeOf(time: Micros): Micros | undefined {
    return this.#offset === undefined ? undefined : micros(Math.round(time + this.#offset));
  }

  /** The dts, or a guess at it where it is nothing that a clock could say. */
  #read(dts: number, track: TrackClock): number {
    if (Math.abs(dts) <= MAX_INPUT) return Math.round(dts);
    this.#stats.unreadable += 1;
    if (track.publication === this.#publication) return track.lastIn + Math.round(track.duration);
    return this.#offset === undefined ? 0 : this.#latestOut - this.#offset;
  }

  /** The first sample of a track in this publication: at its true distance from the others, if that can be true. */
  #enter(track: TrackClock, input: number): void {
    track.base = 0;
    if (this.#offset === undefined) {
      this.#offset = this.#nextOut() - input;
    } else {
      const position = input + this.#offset;
      const isFar = Math.abs(position - this.#latestOut) > this.#limits.maxStartOffset;
      if (isFar || position < Math.max(track.lastOut, 0) - this.#maxSkew) {
        track.base = this.#latestOut - position;
        this.#stats.alignedStarts += 1;
      }
    }
    track.publication = this.#publication;
    track.offset = this.#offset + track.base;
    track.beforeIn = NEVER;
  }

  /** Whether a timestamp is worth a second look: forward too, since it may be the way back from a jump backward. */
  #strays(track: TrackClock, input: number): boolean {
    return surprise(track, input) > this.#limits.maxBackwardJump / 2 || this.#fellBack(track, input);
  }

  /** A jump backward at once, or little by little until it is as far behind what went out already. */
  #fellBack(track: TrackClock, input: number): boolean {
    const { maxBackwardJump } = this.#limits;
    if (surprise(track, input) < -maxBackwardJump) return true;
    return input <= track.lastIn && track.lastOut - input - track.offset > maxBackwardJump;
  }

  /**
   * Whether a track goes on from before its last odd step, which then was one wrong timestamp and neither a jump nor a
   * pause. It gets its old offset back even if it must wait there for the others: any other would leave it out of sync.
   */
  #returns(track: TrackClock, input: number): boolean {
    const goneOn = input - track.beforeIn;
    return (
      goneOn > 0 &&
      goneOn <= this.#maxSkew &&
      this.#tracks.size > 1 &&
      track.lastOut - (input + track.beforeOffset) <= this.#limits.maxForwardJump
    );
  }

  /** Finds the offset that a straying track goes on with, and tells whether it is another one than before. */
  #follow(track: TrackClock, input: number): boolean {
    const returns = this.#returns(track, input);
    const offset = returns ? track.beforeOffset : this.#nearestOffset(track, input);
    const moved = offset !== track.offset;
    if (moved) {
      if (input > track.lastIn) this.#stats.forwardJumps += 1;
      else this.#stats.backwardJumps += 1;
      this.#offset = offset - track.base;
    }
    track.beforeIn = returns ? NEVER : track.lastIn;
    track.beforeOffset = track.offset;
    track.offset = offset;
    return moved;
  }

  /**
   * The track's own offset, if the step may be true (a pause of the track while the stream went on is no jump), or that
   * of a track that has jumped before it, whichever is nearer to the stream; otherwise a new one that leaves no hole.
   */
  #nearestOffset(track: TrackClock, input: number): number {
    const ahead = input + track.offset - this.#latestOut;
    const isPause =
      !this.#fellBack(track, input) &&
      (surprise(track, input) <= this.#limits.maxForwardJump || ahead <= this.#maxSkew);
    const newest = (this.#offset ?? track.offset) + track.base;
    const newestAhead = input + newest - this.#latestOut;
    const fits = input + newest >= track.lastOut - this.#maxSkew && newestAhead <= this.#maxSkew;
    if (newest !== track.offset && fits && (!isPause || Math.abs(newestAhead) < Math.abs(ahead))) return newest;
    return isPause ? track.offset : this.#nextOut() - input;
  }

  #place(sample: Sample, track: TrackClock, input: number): Sample {
    let dts = input + track.offset;
    if (dts < track.lastOut + MIN_STEP) {
      dts = track.lastOut + MIN_STEP;
      this.#stats.nudged += 1;
    } else if (track.lastIn + track.offset === track.lastOut) {
      // The shorter of two: a single gap leaves the average alone.
      const step = dts - track.lastOut;
      const usual = Math.min(step, track.lastStep, MAX_DURATION);
      track.duration += (usual - track.duration) * AVERAGE_WEIGHT;
      track.lastStep = step;
    }
    track.lastIn = input;
    track.lastOut = dts;
    if (dts > this.#latestOut) this.#latestOut = dts;
    const compositionTime = Math.round(sample.pts - sample.dts);
    const composed = compositionTime > 0 ? Math.min(compositionTime, this.#limits.maxCompositionTime) : 0;
    if (composed !== compositionTime) this.#stats.clampedPts += 1;
    return {
      track: sample.track,
      kind: sample.kind,
      dts: micros(dts),
      pts: micros(dts + composed),
      keyframe: sample.keyframe,
      data: sample.data,
    };
  }

  /** Where the timeline goes on: one usual step after the latest of what went out. */
  #nextOut(): number {
    let next = START;
    for (const track of this.#tracks.values()) next = Math.max(next, track.lastOut + track.duration);
    return Math.round(next);
  }
}

/** By how much a timestamp differs from the one expected: the same for all tracks when their encoder's clock is set. */
const surprise = (track: TrackClock, input: number): number => input - track.lastIn - track.duration;

const silentTrack = (): TrackClock => ({
  publication: 0,
  lastIn: 0,
  // So that the earliest place for its first sample is 0.
  lastOut: -MIN_STEP,
  lastStep: DEFAULT_DURATION,
  duration: DEFAULT_DURATION,
  base: 0,
  offset: 0,
  beforeIn: NEVER,
  beforeOffset: 0,
});
