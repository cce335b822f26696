import {
  MediaError,
  type Micros,
  type Millis,
  micros,
  type Sample,
  sameTrackConfig,
  type TimedMetadata,
  type TrackConfig,
  type TrackId,
  TsMuxer,
} from '@sluice/media';
import type { CutPolicy } from '../segments/cut-policy.js';
import type { Packager, PackagerEvents } from './segment.js';

export interface TsPackagerOptions {
  readonly cuts: CutPolicy;
  /** The media sequence number of a first segment that begins there. */
  readonly firstNumber: (dts: Micros) => number;
  readonly wallTimeOf: (dts: Micros) => Millis;
  readonly events: PackagerEvents;
}

interface Open {
  readonly independent: boolean;
  readonly start: Micros;
  readonly startedAt: Millis;
  readonly discontinuity: boolean;
  readonly parts: Buffer[];
  end: Micros;
}

/** Cuts a stream into MPEG-TS segments, at video keyframes, or anywhere if there is no video. */
export class TsPackager implements Packager {
  readonly #options: TsPackagerOptions;
  #tracks = new Map<TrackId, TrackConfig>();
  #hasVideo = false;
  #muxer: TsMuxer | undefined;
  #open: Open | undefined;
  /** Undefined before the first segment. */
  #next: number | undefined;
  #discontinuity = false;

  constructor(options: TsPackagerOptions) {
    this.#options = options;
  }

  /** The tracks from the next sample on. The same ones again change nothing. */
  configure(tracks: readonly TrackConfig[]): void {
    const carried = tracks.filter((config) => this.#canCarry(config));
    if (carried.length === this.#tracks.size && carried.every((config) => this.#isKnown(config))) return;
    this.flush();
    this.#discontinuity ||= this.#next !== undefined;
    this.#tracks = new Map(carried.map((config) => [config.track, config]));
    this.#hasVideo = carried.some((config) => config.kind === 'video');
    this.#muxer = carried.length === 0 ? undefined : new TsMuxer(carried);
  }

  sample(sample: Sample): void {
    const muxer = this.#muxer;
    if (muxer === undefined || !this.#tracks.has(sample.track)) return;
    const open = this.#open;
    if (open !== undefined && this.#options.cuts.cutsBefore(sample, sample.dts - open.start, this.#hasVideo)) {
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

  timedMetadata(metadata: TimedMetadata): void {
    const muxer = this.#muxer;
    const packets = muxer && orUndefined(() => announced(muxer, metadata));
    if (packets !== undefined) this.#open?.parts.push(packets);
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
    return orUndefined(() => muxer.sample(sample));
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
      this.#options.events.unsupported(config);
      return false;
    }
  }

  /** The first segment begins with a picture. */
  #begin(sample: Sample, muxer: TsMuxer): Open | undefined {
    const isFirst = this.#next === undefined || this.#discontinuity;
    if (this.#hasVideo && isFirst && !(sample.kind === 'video' && sample.keyframe)) return undefined;
    const open: Open = {
      start: sample.dts,
      startedAt: this.#options.wallTimeOf(sample.dts),
      discontinuity: this.#discontinuity,
      parts: [muxer.tables()],
      independent: !this.#hasVideo || (sample.kind === 'video' && sample.keyframe),
      end: sample.dts,
    };
    this.#discontinuity = false;
    return open;
  }

  #close(open: Open): void {
    this.#open = undefined;
    const duration = micros(open.end - open.start);
    if (duration <= 0) {
      this.#discontinuity ||= open.discontinuity;
      return;
    }
    const number = this.#next ?? this.#options.firstNumber(open.start);
    this.#next = number + 1;
    this.#options.events.segment({
      number,
      bytes: Buffer.concat(open.parts),
      duration,
      startedAt: open.startedAt,
      discontinuity: open.discontinuity,
      init: undefined,
      independent: open.independent,
      parts: [],
    });
  }
}

/** Timed metadata behind tables that tell of it. */
function announced(muxer: TsMuxer, metadata: TimedMetadata): Buffer {
  muxer.announce(metadata.kind);
  return Buffer.concat([muxer.tables(), muxer.timedMetadata(metadata)]);
}

/** What can't be written is left out: the stream goes on without it. */
function orUndefined<T>(write: () => T): T | undefined {
  try {
    return write();
  } catch (error) {
    if (error instanceof MediaError) return undefined;
    throw error;
  }
}
