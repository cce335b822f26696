import {
  type Logger,
  OpusConverter,
  type Output,
  type OutputKind,
  type StreamDescription,
  type StreamPath,
} from '@sluice/core';
import {
  type AudioTrackConfig,
  type Codec,
  type Micros,
  type Millis,
  type Sample,
  sameTrackConfig,
  type TrackConfig,
  type VideoTrackConfig,
} from '@sluice/media';
import { packetiseOpus, type RtpPayload } from '@sluice/rtp';
import { primaryTracks } from '../tags/selection.js';
import { orUndefined, type PicturePacketiser, picturePacketiser } from './picture-packetiser.js';

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

export interface RtpOutputOptions {
  /** ffmpeg's file, for sound that isn't Opus; undefined where there is none: such sound is left out. */
  readonly ffmpeg: string | undefined;
  readonly log: Logger;
  readonly now: () => Millis;
}

/** Streams as RTP payloads, packetised once for all viewers. */
export function rtpOutputKind(options: RtpOutputOptions): OutputKind<RtpOutput> {
  return { name: 'rtp', create: ({ path }) => new RtpOutput({ ...options, path }) };
}

/** AAC and MP3 browsers don't take by WebRTC. */
const CONVERTED: ReadonlySet<Codec> = new Set(['aac', 'mp3']);

/** Which of a stream's tracks can go over WebRTC. @param canConvert whether sound can be turned into Opus */
export function rtpTracks(description: StreamDescription, canConvert: boolean): TrackConfig[] {
  return primaryTracks(description).filter(({ codec }) => canConvert || !CONVERTED.has(codec));
}

/** Packetises samples. A viewer begins at the next keyframe: what is older would be played late for ever. */
export class RtpOutput implements Output {
  readonly #options: RtpOutputOptions & { readonly path: StreamPath };
  readonly #consumers = new Set<RtpConsumer>();
  #tracks: readonly TrackConfig[] = [];
  #packetise: PicturePacketiser | undefined;
  /** Pictures of all configurations: receivers go by their order. */
  #pictures = 0;
  #idleSince: Millis | undefined;
  #hasToldOfReordering = false;
  #hasToldOfSilence = false;
  /** Made with the first viewer, and gone with the last. */
  #converter: OpusConverter | undefined;

  constructor(options: RtpOutputOptions & { readonly path: StreamPath }) {
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
    if (!this.#consumers.delete(consumer) || this.#consumers.size > 0) return;
    this.#idleSince = this.#options.now();
    this.#stopConverting();
  }

  configure(description: StreamDescription): void {
    const tracks = rtpTracks(description, this.#options.ffmpeg !== undefined);
    const soundOf = (configs: readonly TrackConfig[]) => configs.find(({ kind }) => kind === 'audio');
    const [before, now] = [soundOf(this.#tracks), soundOf(tracks)];
    if (before === undefined || now === undefined || !sameTrackConfig(before, now)) this.#stopConverting();
    this.#tracks = tracks;
    if (this.#options.ffmpeg === undefined && tracks.length < rtpTracks(description, true).length)
      this.#tellOfSilence();
    const video = this.#tracks.find((config): config is VideoTrackConfig => config.kind === 'video');
    this.#packetise = video && picturePacketiser(video, PAYLOAD_BYTES);
  }

  sample(sample: Sample): void {
    const config = this.#tracks.find(({ track }) => track === sample.track);
    if (this.#consumers.size === 0 || config === undefined) return;
    const { kind, keyframe, pts, dts } = sample;
    if (config.kind === 'audio') {
      if (config.codec === 'opus') this.#emitSound(sample.data, pts);
      else this.#convert(config, sample);
      return;
    }
    if (pts !== dts) this.#tellOfReordering();
    const payloads = orUndefined(() => this.#video(sample));
    if (payloads === undefined || payloads.length === 0) return;
    this.#pictures += 1;
    this.#emit({ kind, keyframe, pts, payloads });
  }

  /** RTP's timeline is the stream's, which goes on. */
  discontinuity(): void {}

  end(reason: string): void {
    for (const consumer of [...this.#consumers]) consumer.ended(reason);
    this.#consumers.clear();
    this.#idleSince = this.#options.now();
    this.#stopConverting();
  }

  sweep(): void {}

  #convert(config: AudioTrackConfig, sample: Sample): void {
    const { ffmpeg, log, path } = this.#options;
    if (ffmpeg === undefined) return;
    const emit = (packet: Buffer, pts: Micros) => this.#emitSound(packet, pts);
    this.#converter ??= new OpusConverter({ ffmpeg, config, emit, log, path });
    this.#converter.write(sample);
  }

  #stopConverting(): void {
    this.#converter?.close();
    this.#converter = undefined;
  }

  #emitSound(packet: Buffer, pts: Micros): void {
    this.#emit({ kind: 'audio', keyframe: true, pts, payloads: packetiseOpus(packet, PAYLOAD_BYTES) });
  }

  #emit(sample: RtpSample): void {
    for (const consumer of this.#consumers) consumer.sample(sample);
  }

  #video(sample: Sample): RtpPayload[] | undefined {
    return this.#packetise?.(sample, this.#pictures);
  }

  #tellOfSilence(): void {
    if (this.#hasToldOfSilence) return;
    this.#hasToldOfSilence = true;
    const { log, path } = this.#options;
    const fix = 'install ffmpeg, or name it by FFMPEG_PATH; or let the encoder send Opus';
    log.warn({ path, fix }, 'WebRTC viewers get no sound: there is no ffmpeg to turn it into Opus');
  }

  #tellOfReordering(): void {
    if (this.#hasToldOfReordering) return;
    this.#hasToldOfReordering = true;
    const { log, path } = this.#options;
    const fix = 'set the encoder to 0 B-frames (x264: bframes=0, or tune zerolatency)';
    log.warn({ path, fix }, 'the stream has B-frames, which browsers stutter over by WebRTC');
  }
}
