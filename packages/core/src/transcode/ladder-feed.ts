import {
  MediaError,
  type Micros,
  type Millis,
  micros,
  millis,
  type Sample,
  sameTrackConfig,
  type TrackConfig,
  TsMuxer,
} from '@sluice/media';
import { GopCache, type GopCacheLimits } from '../streams/gop-cache.js';
import type { Output, StreamDescription } from '../streams/output.js';

/** What a feed tells of its stream. */
export interface FeedListener {
  /** The tracks that go in have changed. */
  readonly onTracks: () => void;
  readonly onSample: (sample: Sample) => void;
}

/** A stream as it goes into a ladder, and what of it a new ffmpeg begins with. */
export class LadderFeed implements Output {
  readonly viewers = 0;
  readonly #gop: GopCache;
  #gopBefore: readonly Sample[] = [];
  readonly #listener: FeedListener;
  #tracks: readonly TrackConfig[] = [];
  #closed = false;

  constructor(limits: GopCacheLimits, listener: FeedListener) {
    this.#gop = new GopCache(limits);
    this.#listener = listener;
  }

  /** The picture and the sound that go in. */
  get tracks(): readonly TrackConfig[] {
    return this.#tracks;
  }

  /**
   * What a new ffmpeg begins with: from the last keyframe on, or from the one before it, where not all that precedes
   * the last one has been made.
   *
   * @param made the last picture that has been; undefined where there is none yet
   */
  recent(made: Micros | undefined): readonly Sample[] {
    const now = this.#gop.samples;
    const [first] = now;
    return first === undefined || made === undefined || made >= first.pts ? now : [...this.#gopBefore, ...now];
  }

  /** Once closed, it is dropped at the next sweep. */
  get idleSince(): Millis | undefined {
    return this.#closed ? millis(0) : undefined;
  }

  configure(description: StreamDescription): void {
    const first = (kind: 'video' | 'audio') => description.tracks.find((config) => config.kind === kind);
    const tracks = [first('video'), first('audio')].filter((config) => config !== undefined);
    if (tracks.length === this.#tracks.length && tracks.every((config, at) => isSame(config, this.#tracks[at]))) return;
    this.#tracks = tracks;
    this.#forget();
    if (!this.#closed) this.#listener.onTracks();
  }

  sample(sample: Sample): void {
    if (this.#closed || !this.#tracks.some(({ track }) => track === sample.track)) return;
    if (sample.kind === 'video' && sample.keyframe) this.#gopBefore = this.#gop.samples;
    this.#gop.push(sample);
    this.#listener.onSample(sample);
  }

  discontinuity(): void {
    this.#forget();
  }

  end(): void {
    this.close();
  }

  sweep(): void {}

  close(): void {
    this.#closed = true;
    this.#forget();
  }

  #forget(): void {
    this.#gop.clear();
    this.#gopBefore = [];
  }
}

function isSame(a: TrackConfig, b: TrackConfig | undefined): boolean {
  return b !== undefined && sameTrackConfig(a, b);
}

/** What can go into MPEG-TS of some tracks, and what is wrong with the rest. */
export function carriedTracks(tracks: readonly TrackConfig[]): { carried: TrackConfig[]; fault: string | undefined } {
  let fault: string | undefined;
  const carried = tracks.filter((config) => {
    try {
      new TsMuxer([config]);
      return true;
    } catch (error) {
      if (!(error instanceof MediaError)) throw error;
      fault = error.message;
      return false;
    }
  });
  return { carried, fault };
}

/**
 * Writes samples for one run of ffmpeg. Its clock begins near 0, so that the 33 bits of MPEG-TS last for a day, and in
 * whole milliseconds, so that times come back as they were.
 */
export class RunMuxer {
  readonly #muxer: TsMuxer;
  #base = micros(0);

  /** @throws {MediaError} `unsupported` */
  constructor(tracks: readonly TrackConfig[]) {
    this.#muxer = new TsMuxer(tracks);
  }

  tables(): Buffer {
    return this.#muxer.tables();
  }

  /** Says where 0 is, before the first sample. @returns what stands there: up to a millisecond before it */
  begin(at: Micros): Micros {
    this.#base = micros(Math.floor(at / 1000) * 1000);
    return this.#base;
  }

  /** @returns undefined for a sample that can't be read: it goes on with the next one */
  sample(sample: Sample): Buffer | undefined {
    const base = this.#base;
    try {
      return this.#muxer.sample({ ...sample, dts: micros(sample.dts - base), pts: micros(sample.pts - base) });
    } catch (error) {
      if (error instanceof MediaError) return undefined;
      throw error;
    }
  }
}
