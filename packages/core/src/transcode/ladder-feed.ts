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

  /** From the last keyframe on. */
  get recent(): readonly Sample[] {
    return this.#gop.samples;
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
    this.#gop.clear();
    if (!this.#closed) this.#listener.onTracks();
  }

  sample(sample: Sample): void {
    if (this.#closed || !this.#tracks.some(({ track }) => track === sample.track)) return;
    this.#gop.push(sample);
    this.#listener.onSample(sample);
  }

  discontinuity(): void {
    this.#gop.clear();
  }

  end(): void {
    this.close();
  }

  sweep(): void {}

  close(): void {
    this.#closed = true;
    this.#gop.clear();
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
  #base: Micros | undefined;

  /** @throws {MediaError} `unsupported` */
  constructor(tracks: readonly TrackConfig[]) {
    this.#muxer = new TsMuxer(tracks);
  }

  /** What stands at 0; undefined before the first sample. */
  get base(): Micros | undefined {
    return this.#base;
  }

  tables(): Buffer {
    return this.#muxer.tables();
  }

  /** Says where 0 is. Only before the first sample. */
  begin(at: Micros): void {
    this.#base = micros(Math.floor(at / 1000) * 1000);
  }

  /** @returns undefined for a sample that can't be read: it goes on with the next one */
  sample(sample: Sample): Buffer | undefined {
    if (this.#base === undefined) this.begin(sample.dts);
    const base = this.#base ?? 0;
    try {
      return this.#muxer.sample({ ...sample, dts: micros(sample.dts - base), pts: micros(sample.pts - base) });
    } catch (error) {
      if (error instanceof MediaError) return undefined;
      throw error;
    }
  }
}
