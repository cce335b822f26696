import type { Logger, Output, OutputKind, StreamDescription, StreamPath } from '@sluice/core';
import {
  MediaError,
  type Micros,
  type Millis,
  millis,
  parseAvcC,
  type Sample,
  type TrackConfig,
  type VideoTrackConfig,
} from '@sluice/media';
import { packetiseH264, payloadOf, type RtpPayload } from '@sluice/rtp';
import { primaryTracks } from '../tags/selection.js';

/** Of a packet: with the longest header extension, seal and relay in front it still fits into 1,280 bytes. */
const PAYLOAD_BYTES = 1150;

/** A sample as RTP payloads, the same for all viewers. */
export interface RtpSample {
  readonly kind: 'video' | 'audio';
  readonly keyframe: boolean;
  readonly pts: Micros;
  readonly payloads: readonly RtpPayload[];
}

/** Who takes a stream's payloads. */
export interface RtpConsumer {
  sample(sample: RtpSample): void;
  ended(reason: string): void;
}

/** Streams as RTP payloads, packetised once for all viewers. */
export function rtpOutputKind(options: { log: Logger; now: () => Millis }): OutputKind<RtpOutput> {
  return { name: 'rtp', create: ({ path }) => new RtpOutput({ ...options, path }) };
}

/** Which of a stream's tracks can go over WebRTC. */
export function rtpTracks(description: StreamDescription): TrackConfig[] {
  return primaryTracks(description).filter(({ codec }) => codec === 'h264' || codec === 'opus');
}

/** Packetises samples. A viewer begins at the next keyframe: what is older would be played late for ever. */
export class RtpOutput implements Output {
  readonly #options: { readonly log: Logger; readonly now: () => Millis; readonly path: StreamPath };
  readonly #consumers = new Set<RtpConsumer>();
  #tracks: readonly TrackConfig[] = [];
  #parameterSets: readonly Buffer[] = [];
  #idleSince: Millis | undefined;
  #hasToldOfReordering = false;

  constructor(options: { log: Logger; now: () => Millis; path: StreamPath }) {
    this.#options = options;
    this.#idleSince = options.now();
  }

  get viewers(): number {
    return this.#consumers.size;
  }

  get idleSince(): Millis | undefined {
    return this.#idleSince;
  }

  attach(consumer: RtpConsumer): void {
    this.#consumers.add(consumer);
    this.#idleSince = undefined;
  }

  detach(consumer: RtpConsumer): void {
    if (this.#consumers.delete(consumer) && this.#consumers.size === 0) this.#idleSince = this.#options.now();
  }

  configure(description: StreamDescription): void {
    this.#tracks = rtpTracks(description);
    const video = this.#tracks.find((config): config is VideoTrackConfig => config.kind === 'video');
    this.#parameterSets = video === undefined ? [] : (orUndefined(() => setsOf(video)) ?? []);
  }

  sample(sample: Sample): void {
    if (this.#consumers.size === 0 || !this.#tracks.some(({ track }) => track === sample.track)) return;
    const { kind, keyframe, pts, dts } = sample;
    if (pts !== dts) this.#tellOfReordering();
    const payloads = kind === 'audio' ? [payloadOf([sample.data], false)] : orUndefined(() => this.#video(sample));
    if (payloads === undefined || payloads.length === 0) return;
    const packed: RtpSample = { kind, keyframe, pts, payloads };
    for (const consumer of this.#consumers) consumer.sample(packed);
  }

  /** RTP's timeline is the stream's, which goes on. */
  discontinuity(): void {}

  end(reason: string): void {
    for (const consumer of [...this.#consumers]) consumer.ended(reason);
    this.#consumers.clear();
    this.#idleSince = millis(this.#options.now());
  }

  sweep(): void {}

  #video({ data, keyframe }: Sample): RtpPayload[] {
    return packetiseH264(data, PAYLOAD_BYTES, keyframe ? this.#parameterSets : []);
  }

  #tellOfReordering(): void {
    if (this.#hasToldOfReordering) return;
    this.#hasToldOfReordering = true;
    const { log, path } = this.#options;
    const fix = 'set the encoder to 0 B-frames (x264: bframes=0, or tune zerolatency)';
    log.warn({ path, fix }, 'the stream has B-frames, which browsers stutter over by WebRTC');
  }
}

function setsOf({ description }: VideoTrackConfig): Buffer[] {
  const { sps, pps } = parseAvcC(description);
  return [...sps, ...pps];
}

/** What can't be read is left out: the stream goes on without it. */
function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof MediaError) return undefined;
    throw error;
  }
}
