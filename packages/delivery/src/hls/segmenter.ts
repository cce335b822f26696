import {
  MediaError,
  type Micros,
  type Millis,
  micros,
  type Sample,
  sameTrackConfig,
  type TrackConfig,
  type TrackId,
  TsMuxer,
} from '@sluice/media';

/** A finished segment. */
export interface Segment {
  /** Media sequence number. */
  readonly number: number;
  readonly bytes: Buffer;
  readonly duration: Micros;
  /** When its first sample was live, ms since 1970. */
  readonly startedAt: Millis;
  /** Decoders must be reset before it. */
  readonly discontinuity: boolean;
}

export interface SegmenterOptions {
  readonly target: Micros;
  readonly wallTimeOf: (dts: Micros) => Millis;
  readonly onSegment: (segment: Segment) => void;
  /** Called for tracks that MPEG-TS can't carry. */
  readonly onUnsupported: (config: TrackConfig) => void;
}

interface OpenSegment {
  readonly start: Micros;
  readonly startedAt: Millis;
  readonly discontinuity: boolean;
  readonly parts: Buffer[];
  end: Micros;
}

/** An encoder's GOPs waver by a frame or two; a keyframe this early still ends the segment. */
const EARLY_CUT = 0.9;
/** Without a keyframe a segment is cut after this many target durations, to bound what is held. */
const MAX_TARGETS = 10;
const MIN_FORCED_CUT = micros(20_000_000);

/** Cuts a stream into MPEG-TS segments, at video keyframes, or anywhere if there is no video. */
export class Segmenter {
  readonly #options: SegmenterOptions;
  readonly #forcedCut: Micros;
  #tracks = new Map<TrackId, TrackConfig>();
  #hasVideo = false;
  #muxer: TsMuxer | undefined;
  #open: OpenSegment | undefined;
  #next = 0;
  #discontinuity = false;

  constructor(options: SegmenterOptions) {
    this.#options = options;
    this.#forcedCut = micros(Math.max(options.target * MAX_TARGETS, MIN_FORCED_CUT));
  }

  /** The tracks from the next sample on. The same ones again change nothing. */
  configure(tracks: readonly TrackConfig[]): void {
    const carried = tracks.filter((config) => this.#canCarry(config));
    if (carried.length === this.#tracks.size && carried.every((config) => this.#isKnown(config))) return;
    this.flush();
    this.#discontinuity ||= this.#next > 0;
    this.#tracks = new Map(carried.map((config) => [config.track, config]));
    this.#hasVideo = carried.some((config) => config.kind === 'video');
    this.#muxer = carried.length === 0 ? undefined : new TsMuxer(carried);
  }

  sample(sample: Sample): void {
    const muxer = this.#muxer;
    if (muxer === undefined || !this.#tracks.has(sample.track)) return;
    const open = this.#open;
    if (open !== undefined && this.#cutsBefore(sample, open)) {
      open.end = sample.dts;
      this.#close(open);
    }
    this.#open ??= this.#begin(sample, muxer);
    if (this.#open === undefined) return;
    const packets = this.#mux(muxer, sample);
    if (packets === undefined) return;
    this.#open.parts.push(packets);
    if (sample.dts > this.#open.end) this.#open.end = sample.dts;
  }

  /** An encoder came back: what follows doesn't continue what was. */
  discontinuity(): void {
    this.flush();
    this.#discontinuity = true;
    if (this.#tracks.size > 0) this.#muxer = new TsMuxer([...this.#tracks.values()]);
  }

  /** Ends the open segment where it is. */
  flush(): void {
    if (this.#open !== undefined) this.#close(this.#open);
  }

  /** @returns undefined for a sample that the format can't hold, which is left out */
  #mux(muxer: TsMuxer, sample: Sample): Buffer | undefined {
    try {
      return muxer.sample(sample);
    } catch (error) {
      if (error instanceof MediaError) return undefined;
      throw error;
    }
  }

  #isKnown(config: TrackConfig): boolean {
    const known = this.#tracks.get(config.track);
    return known !== undefined && sameTrackConfig(known, config);
  }

  #canCarry(config: TrackConfig): boolean {
    try {
      new TsMuxer([config]);
      return true;
    } catch (error) {
      if (!(error instanceof MediaError)) throw error;
      this.#options.onUnsupported(config);
      return false;
    }
  }

  #cutsBefore(sample: Sample, open: OpenSegment): boolean {
    const elapsed = sample.dts - open.start;
    if (elapsed >= this.#forcedCut) return true;
    if (elapsed < this.#options.target * EARLY_CUT) return false;
    return this.#hasVideo ? sample.kind === 'video' && sample.keyframe : elapsed >= this.#options.target;
  }

  /** The first segment begins with a picture. */
  #begin(sample: Sample, muxer: TsMuxer): OpenSegment | undefined {
    const isFirst = this.#next === 0 || this.#discontinuity;
    if (this.#hasVideo && isFirst && !(sample.kind === 'video' && sample.keyframe)) return undefined;
    const open: OpenSegment = {
      start: sample.dts,
      startedAt: this.#options.wallTimeOf(sample.dts),
      discontinuity: this.#discontinuity,
      parts: [muxer.tables()],
      end: sample.dts,
    };
    this.#discontinuity = false;
    return open;
  }

  #close(open: OpenSegment): void {
    this.#open = undefined;
    const duration = micros(open.end - open.start);
    if (duration <= 0) {
      this.#discontinuity ||= open.discontinuity;
      return;
    }
    this.#options.onSegment({
      number: this.#next++,
      bytes: Buffer.concat(open.parts),
      duration,
      startedAt: open.startedAt,
      discontinuity: open.discontinuity,
    });
  }
}
