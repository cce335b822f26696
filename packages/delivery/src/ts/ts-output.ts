import type {
  FanOut,
  FanOutContext,
  Logger,
  Output,
  OutputKind,
  StreamDescription,
  Viewer,
  ViewerEnd,
  ViewerSocket,
} from '@sluice/core';
import { fanOutFor } from '@sluice/core';
import {
  MediaError,
  type Millis,
  type Sample,
  sameTrackConfig,
  type TimedMetadata,
  type TrackConfig,
  TsMuxer,
} from '@sluice/media';
import { primaryTracks } from '../tags/selection.js';

/** Streams as MPEG-TS without an end, packed once for all viewers. */
export function tsOutputKind(context: FanOutContext, log: Logger): OutputKind<TsOutput> {
  return {
    name: 'mpegts',
    create: (source) =>
      new TsOutput(fanOutFor(source.settings, context), (config) =>
        log.warn({ path: source.path, codec: config.codec }, `MPEG-TS can't carry ${config.codec}`),
      ),
  };
}

/** Packs samples as MPEG-TS packets. Each place where a viewer may begin has the tables in front. */
export class TsOutput implements Output {
  readonly #fanOut: FanOut;
  readonly #onUnsupported: (config: TrackConfig) => void;
  /** Kinds of timed metadata that have come: they are announced from then on. */
  readonly #metadata = new Set<TimedMetadata['kind']>();
  #tracks: readonly TrackConfig[] = [];
  #muxer: TsMuxer | undefined;
  #hasVideo = false;

  constructor(fanOut: FanOut, onUnsupported: (config: TrackConfig) => void) {
    this.#fanOut = fanOut;
    this.#onUnsupported = onUnsupported;
  }

  get viewers(): number {
    return this.#fanOut.size;
  }

  get idleSince(): Millis | undefined {
    return this.#fanOut.emptySince;
  }

  attach(socket: ViewerSocket, onEnd: (end: ViewerEnd) => void): Viewer {
    return this.#fanOut.attach(socket, onEnd);
  }

  detach(viewer: Viewer): void {
    this.#fanOut.detach(viewer);
  }

  configure(description: StreamDescription): void {
    const tracks = primaryTracks(description).filter((config) => this.#canCarry(config));
    const isSame = (config: TrackConfig, at: number): boolean => {
      const known = this.#tracks[at];
      return known !== undefined && sameTrackConfig(known, config);
    };
    if (tracks.length === this.#tracks.length && tracks.every(isSame)) return;
    this.#tracks = tracks;
    this.#hasVideo = tracks.some(({ kind }) => kind === 'video');
    this.#muxer = tracks.length === 0 ? undefined : new TsMuxer(tracks, [...this.#metadata]);
  }

  sample(sample: Sample): void {
    const muxer = this.#muxer;
    if (muxer === undefined || !this.#tracks.some(({ track }) => track === sample.track)) return;
    const isVideo = sample.kind === 'video';
    const begins = isVideo ? sample.keyframe : !this.#hasVideo;
    const packets = pack(muxer, sample, begins);
    if (packets === undefined) return;
    if (!this.#hasVideo) this.#fanOut.append(packets, 'anywhere', true);
    else this.#fanOut.append(packets, begins ? 'keyframe' : 'none', isVideo);
  }

  timedMetadata(metadata: TimedMetadata): void {
    const muxer = this.#muxer;
    if (muxer === undefined) return;
    muxer.announce(metadata.kind);
    const packets = unlessUnreadable(() => muxer.timedMetadata(metadata));
    if (packets === undefined) return;
    const isNew = !this.#metadata.has(metadata.kind);
    this.#metadata.add(metadata.kind);
    this.#fanOut.append(isNew ? Buffer.concat([muxer.tables(), packets]) : packets, 'none', false);
  }

  /** The timeline goes on, and the clock reference with it. */
  discontinuity(): void {}

  end(reason: string): void {
    this.#fanOut.end(reason);
  }

  sweep(now: Millis): void {
    this.#fanOut.sweep(now);
  }

  #canCarry(config: TrackConfig): boolean {
    try {
      new TsMuxer([config]);
      return true;
    } catch (error) {
      if (!(error instanceof MediaError)) throw error;
      this.#onUnsupported(config);
      return false;
    }
  }
}

function pack(muxer: TsMuxer, sample: Sample, begins: boolean): Buffer | undefined {
  const packets = unlessUnreadable(() => muxer.sample(sample));
  return packets !== undefined && begins ? Buffer.concat([muxer.tables(), packets]) : packets;
}

/** @returns undefined for what can't be read: the stream goes on without it */
function unlessUnreadable(write: () => Buffer): Buffer | undefined {
  try {
    return write();
  } catch (error) {
    if (error instanceof MediaError) return undefined;
    throw error;
  }
}
