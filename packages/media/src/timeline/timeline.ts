import type { Sample, TrackId } from '../sample.js';
import { type Micros, micros } from '../time.js';

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
}

/** A sample on the stream's own timeline. */
export interface RepairedSample {
  readonly sample: Sample;
  /** The first of its track after a restart or a jump: what came before does not lead up to it. */
  readonly discontinuity: boolean;
}

interface TrackClock {
  lastIn: number;
  lastOut: number;
  /** Usual distance between samples, a running average. */
  duration: number;
  /** The segment of the timeline that the track is in, and the offset that holds there. */
  epoch: number;
  offset: number;
}

const DEFAULT_LIMITS: TimelineLimits = {
  maxForwardJump: micros(10_000_000),
  maxBackwardJump: micros(1_000_000),
  maxStartOffset: micros(10_000_000),
  maxCompositionTime: micros(10_000_000),
};

/** The first sample comes out here, so that another track may begin up to this much earlier. */
const START = 1_000_000;
/** The smallest step; survives the rounding to milliseconds of FLV. */
const MIN_STEP = 1000;
const DEFAULT_DURATION = 23_000;
/** How far apart two tracks may be after the same jump and still share an epoch. */
const EPOCH_TOLERANCE = 2_000_000;
const AVERAGE_WEIGHT = 1 / 8;

/**
 * A stream's one clock. It takes samples with whatever timestamps an encoder gave them and gives them back on a
 * timeline that begins near 0, never jumps and increases strictly within each track.
 *
 * All tracks share one offset, so that sound and picture stay together. When an encoder's clock jumps, a new epoch
 * begins with an offset of its own, and the tracks move over to it one by one, as each of them jumps.
 */
export class Timeline {
  readonly #limits: TimelineLimits;
  readonly #tracks = new Map<TrackId, TrackClock>();
  #epoch = 0;
  /** Of the newest epoch; undefined until its first sample. */
  #offset: number | undefined;
  #restarting = new Set<TrackId>();
  #latestOut = START;
  #stats = { forwardJumps: 0, backwardJumps: 0, nudged: 0, clampedPts: 0, restarts: 0, alignedStarts: 0 };

  constructor(limits: Partial<TimelineLimits> = {}) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
  }

  get stats(): TimelineStats {
    return { ...this.#stats };
  }

  /** A new publication begins: its timestamps have nothing to do with those before. */
  restart(): void {
    this.#stats.restarts += 1;
    this.#epoch += 1;
    this.#offset = undefined;
    this.#restarting = new Set(this.#tracks.keys());
  }

  /** The sample at its place on the timeline. */
  repair(sample: Sample): RepairedSample {
    const input = sample.dts;
    let track = this.#tracks.get(sample.track);
    let discontinuity = false;
    if (track === undefined) {
      track = this.#begin(sample.track, input);
    } else if (this.#restarting.delete(sample.track)) {
      discontinuity = true;
      this.#joinEpoch(track, input, this.#epoch);
    } else if (this.#jumped(track, input)) {
      discontinuity = true;
      this.#moveOn(track, input);
    }
    return { sample: this.#place(sample, track), discontinuity };
  }

  #place(sample: Sample, track: TrackClock): Sample {
    let dts = sample.dts + track.offset;
    if (dts < track.lastOut + MIN_STEP) {
      if (track.lastOut !== Number.NEGATIVE_INFINITY) {
        dts = track.lastOut + MIN_STEP;
        this.#stats.nudged += 1;
      }
    } else if (track.lastOut !== Number.NEGATIVE_INFINITY) {
      const step = Math.min(dts - track.lastOut, this.#limits.maxBackwardJump);
      track.duration += (step - track.duration) * AVERAGE_WEIGHT;
    }
    dts = Math.max(dts, 0);
    track.lastIn = sample.dts;
    track.lastOut = dts;
    if (dts > this.#latestOut) this.#latestOut = dts;
    const compositionTime = sample.pts - sample.dts;
    const composed = Math.min(Math.max(compositionTime, 0), this.#limits.maxCompositionTime);
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

  #jumped(track: TrackClock, input: number): boolean {
    const step = input - track.lastIn;
    return step > this.#limits.maxForwardJump || step < -this.#limits.maxBackwardJump;
  }

  /** A track that is heard for the first time. */
  #begin(id: TrackId, input: number): TrackClock {
    const track: TrackClock = {
      lastIn: input,
      lastOut: Number.NEGATIVE_INFINITY,
      duration: DEFAULT_DURATION,
      epoch: this.#epoch,
      offset: 0,
    };
    this.#tracks.set(id, track);
    if (this.#offset === undefined) {
      this.#offset = this.#nextOut() - input;
    } else if (Math.abs(input + this.#offset - this.#latestOut) > this.#limits.maxStartOffset) {
      this.#stats.alignedStarts += 1;
      track.offset = this.#latestOut - input;
      return track;
    }
    track.offset = this.#offset;
    return track;
  }

  /** The clock of a track has jumped: on to the newest epoch if its offset fits, to one of its own otherwise. */
  #moveOn(track: TrackClock, input: number): void {
    if (input > track.lastIn) this.#stats.forwardJumps += 1;
    else this.#stats.backwardJumps += 1;
    if (track.epoch < this.#epoch) {
      this.#joinEpoch(track, input, this.#epoch);
      return;
    }
    this.#epoch += 1;
    this.#offset = undefined;
    this.#joinEpoch(track, input, this.#epoch);
  }

  #joinEpoch(track: TrackClock, input: number, epoch: number): void {
    track.epoch = epoch;
    if (this.#offset === undefined) {
      this.#offset = this.#nextOut() - input;
    } else if (Math.abs(input + this.#offset - this.#latestOut) > this.#tolerance(track)) {
      this.#stats.alignedStarts += 1;
      track.offset = this.#latestOut - input;
      return;
    }
    track.offset = this.#offset;
  }

  /** After a restart the tracks' true start offset is kept; after a jump they are where they were to each other. */
  #tolerance(track: TrackClock): number {
    return Math.max(EPOCH_TOLERANCE, track.duration * 4);
  }

  /** Where the timeline goes on: one usual step after the latest of what went out. */
  #nextOut(): number {
    let next = START;
    for (const track of this.#tracks.values()) next = Math.max(next, track.lastOut + track.duration);
    return Math.round(next);
  }
}
