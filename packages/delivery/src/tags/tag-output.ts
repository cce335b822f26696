import type { FanOut, Output, StreamDescription, Viewer, ViewerEnd, ViewerSocket } from '@sluice/core';
import {
  flvConfigBody,
  flvMetadataBody,
  flvSampleBodyHeader,
  flvTagTypeOf,
  isFlvCodec,
  type Millis,
  millisFromMicros,
  type Sample,
  sameTrackConfig,
  type TrackConfig,
  type TrackId,
} from '@sluice/media';
import type { TagFraming } from './framing.js';
import { type MediaSelection, primaryTracks } from './selection.js';

/** The first tracks of their kind, whatever their number in the stream: most players know no others. */
const FLV_TRACK = { video: 0, audio: 1 } as const;

/** FLV timestamps have 32 bits and wrap after 49 days. */
const timestampOf = (sample: Sample): number => millisFromMicros(sample.dts) >>> 0;

/** Packs samples as FLV tags, once, for all RTMP or all HTTP-FLV viewers of a stream. */
export class TagOutput implements Output {
  readonly #fanOut: FanOut;
  readonly #framing: TagFraming;
  readonly #selection: MediaSelection;
  readonly #onUnsupported: (config: TrackConfig) => void;
  /** As FLV has them, by their number in the stream. */
  #tracks = new Map<TrackId, TrackConfig>();
  #hasVideo = false;
  #lastTimestamp = 0;

  /** @param onUnsupported called for tracks that FLV can't carry, which are left out */
  constructor(
    fanOut: FanOut,
    framing: TagFraming,
    selection: MediaSelection,
    onUnsupported: (config: TrackConfig) => void,
  ) {
    this.#fanOut = fanOut;
    this.#framing = framing;
    this.#selection = selection;
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
    const known = this.#tracks;
    const wanted = primaryTracks(description, this.#selection);
    const tracks = wanted.filter(({ codec }) => isFlvCodec(codec));
    for (const config of wanted) if (!tracks.includes(config)) this.#onUnsupported(config);
    this.#tracks = new Map(tracks.map((config) => [config.track, { ...config, track: FLV_TRACK[config.kind] }]));
    this.#hasVideo = tracks.some((config) => config.kind === 'video');
    const metadata = this.#framing.encode(18, this.#lastTimestamp, flvMetadataBody(tracks, description.metadata));
    const inBand: Buffer[] = [];
    const configs: Buffer[] = [metadata];
    for (const [track, config] of this.#tracks) {
      const body = flvConfigBody(config);
      if (body === undefined) continue;
      const tag = this.#framing.encode(flvTagTypeOf(config), this.#lastTimestamp, body);
      configs.push(tag);
      const before = known.get(track);
      if (before === undefined || !sameTrackConfig(before, config)) inBand.push(tag);
    }
    if (inBand.length > 0) this.#fanOut.append(Buffer.concat([metadata, ...inBand]), 'none', false);
    const hasAudio = tracks.some((config) => config.kind === 'audio');
    this.#fanOut.setJoin(this.#framing.header({ audio: hasAudio, video: this.#hasVideo }), Buffer.concat(configs));
  }

  sample(sample: Sample): void {
    const config = this.#tracks.get(sample.track);
    if (config === undefined) return;
    this.#lastTimestamp = timestampOf(sample);
    const tag = this.#framing.encode(
      flvTagTypeOf(config),
      this.#lastTimestamp,
      flvSampleBodyHeader(sample, config),
      sample.data,
    );
    if (!this.#hasVideo) this.#fanOut.append(tag, 'anywhere', true);
    else if (sample.kind === 'audio') this.#fanOut.append(tag, 'none', false);
    else this.#fanOut.append(tag, sample.keyframe ? 'keyframe' : 'none', true);
  }

  /** The timeline goes on and changed configurations come in-band, so players need nothing more. */
  discontinuity(): void {}

  end(reason: string): void {
    this.#fanOut.end(reason);
  }

  sweep(now: Millis): void {
    this.#fanOut.sweep(now);
  }
}
