import {
  type ConvertedEvent,
  type Logger,
  type Output,
  type OutputKind,
  type OutputSource,
  type StreamDescription,
  TrackConverter,
} from '@sluice/core';
import {
  type AudioCodec,
  type Codec,
  isDisposable,
  type Micros,
  type Millis,
  type Sample,
  sameTrackConfig,
  type TrackConfig,
  type VideoCodec,
  type VideoTrackConfig,
} from '@sluice/media';
import { packetiseOpus, type RtpPayload } from '@sluice/rtp';
import { primaryTracks } from '../tags/selection.js';
import { BFrameWatch } from './b-frames.js';
import { GaplessSound } from './gapless-sound.js';
import { orUndefined, type PicturePacketiser, picturePacketiser } from './picture-packetiser.js';
import { RtpFanOut } from './rtp-fan-out.js';
import { StillPicture } from './still-picture.js';

/** Of a packet: with the longest header extension, seal and relay in front it still fits into 1,280 bytes. */
const PAYLOAD_BYTES = 1150;

/** A sample as RTP payloads, the same for all viewers. */
export interface RtpSample {
  readonly kind: 'video' | 'audio';
  readonly codec: Codec;
  readonly keyframe: boolean;
  /** No other picture depends on it. */
  readonly disposable: boolean;
  readonly pts: Micros;
  readonly payloads: readonly RtpPayload[];
}

/** Who takes a stream's payloads. */
export interface RtpConsumer {
  /** What will come from now on; said at first, and at each change. */
  codecs(codecs: readonly Codec[]): void;
  sample(sample: RtpSample): void;
  /** Something to look at, on which what follows does not depend: for who comes between two keyframes. */
  still(sample: RtpSample): void;
  ended(reason: string): void;
}

export interface RtpOutputOptions {
  /** ffmpeg's file, for what browsers can't play as it is; undefined where there is none: it is left out then. */
  readonly ffmpeg: string | undefined;
  readonly log: Logger;
  readonly now: () => Millis;
}

/** Streams as RTP payloads, packetised once for all viewers. */
export function rtpOutputKind(options: RtpOutputOptions): OutputKind<RtpOutput> {
  return {
    name: 'rtp',
    sound: { to: 'opus', from: CONVERTED },
    create: (source) => new RtpOutput(options, source),
  };
}

/** Which of a stream's tracks can go over WebRTC. @param canConvert whether sound can be turned into Opus */
export function rtpTracks(description: StreamDescription, canConvert: boolean): TrackConfig[] {
  return primaryTracks(description).filter(({ codec }) => canConvert || !isConverted(codec));
}

/** The codec in which a track goes over WebRTC. */
export const rtpCodecOf = ({ codec }: TrackConfig): Codec => (isConverted(codec) ? 'opus' : codec);

/** Sound that no browser takes over WebRTC. */
const CONVERTED: readonly AudioCodec[] = ['aac', 'mp3'];

const isConverted = (codec: Codec): boolean => CONVERTED.some((converted) => converted === codec);

/** Packetises samples. A viewer begins at the next keyframe, and has the last one to look at until then. */
export class RtpOutput implements Output {
  readonly #options: RtpOutputOptions;
  readonly #source: OutputSource;
  readonly #viewers: RtpFanOut;
  readonly #bFrames = new BFrameWatch();
  readonly #sound = new GaplessSound();
  readonly #told = new Set<string>();
  readonly #still = new StillPicture();
  /** Encodes the picture anew: made with the first viewer who needs it, and gone with the last. */
  #converter: TrackConverter | undefined;
  #tracks: readonly TrackConfig[] = [];
  #packetise: PicturePacketiser | undefined;
  /** Pictures of all configurations: receivers go by their order. */
  #pictures = 0;
  #idleSince: Millis | undefined;

  constructor(options: RtpOutputOptions, source: OutputSource) {
    this.#options = options;
    this.#source = source;
    this.#viewers = new RtpFanOut(options.now);
    this.#idleSince = options.now();
  }

  get viewers(): number {
    return this.#viewers.size;
  }

  get idleSince(): Millis | undefined {
    return this.#idleSince;
  }

  attach(consumer: RtpConsumer): void {
    this.#viewers.add(consumer);
    this.#idleSince = undefined;
    consumer.codecs(this.#tracks.map(rtpCodecOf));
    const still = this.#stillSample();
    if (still !== undefined) consumer.still(still);
    this.requestKeyframe();
  }

  detach(consumer: RtpConsumer): void {
    if (!this.#viewers.remove(consumer) || this.#viewers.size > 0) return;
    this.#idleSince = this.#options.now();
    this.#stopConverting();
  }

  /** For a viewer that can't go on without one. */
  requestKeyframe(): void {
    this.#source.requestKeyframe();
  }

  configure(description: StreamDescription): void {
    const tracks = rtpTracks(description, false);
    const isSame =
      tracks.length === this.#tracks.length && tracks.every((track, at) => isSameAs(track, this.#tracks[at]));
    if (isSame) return;
    this.#stopConverting();
    this.#bFrames.reset();
    this.#still.clear();
    this.#tracks = tracks;
    const video = tracks.find((config): config is VideoTrackConfig => config.kind === 'video');
    this.#packetise = video && picturePacketiser(video, PAYLOAD_BYTES);
    for (const consumer of this.#viewers.consumers) consumer.codecs(tracks.map(rtpCodecOf));
  }

  sample(sample: Sample): void {
    const config = this.#tracks.find(({ track }) => track === sample.track);
    if (config === undefined) return;
    if (config.kind === 'video') this.#picture(config, sample);
    else if (this.#viewers.size > 0) this.#emitSound(sample);
  }

  /** RTP's timeline is the stream's, which goes on. */
  discontinuity(): void {
    this.#bFrames.reset();
    this.#still.clear();
  }

  end(reason: string): void {
    for (const consumer of this.#viewers.consumers) consumer.ended(reason);
    this.#viewers.clear();
    this.#idleSince = this.#options.now();
    this.#stopConverting();
  }

  sweep(): void {}

  #picture(config: VideoTrackConfig, sample: Sample): void {
    this.#still.push(sample, config.codec);
    const role = this.#bFrames.roleOf(sample, config.codec);
    const policy = this.#source.settings.webrtc.bFrames;
    if (role !== 'in-order') this.#tellOfBFrames(policy);
    if (this.#viewers.size === 0 || (role === 'disposable' && policy === 'drop')) return;
    const { ffmpeg } = this.#options;
    // What viewers have agreed on stays as it is: H.264 is made of H.264 only.
    const isEncoded = policy === 'transcode' && this.#bFrames.hasSeenOne && config.codec === 'h264';
    if (isEncoded && ffmpeg !== undefined) {
      this.#converter ??= this.#startConverting(config, ffmpeg);
      this.#converter.write(sample);
    } else this.#emitPicture(sample, config.codec, this.#packetise);
  }

  #startConverting(config: VideoTrackConfig, ffmpeg: string): TrackConverter {
    let packetise: PicturePacketiser | undefined;
    const emit = (event: ConvertedEvent): void => {
      if (event.type === 'sample') this.#emitPicture(event.sample, 'h264', packetise);
      else if (event.config.kind === 'video') packetise = picturePacketiser(event.config, PAYLOAD_BYTES);
    };
    const { log } = this.#options;
    return new TrackConverter({ ffmpeg, config, to: 'h264', emit, log, path: this.#source.path });
  }

  #stopConverting(): void {
    this.#converter?.close();
    this.#converter = undefined;
  }

  #emitSound({ data, pts }: Sample): void {
    const at = orUndefined(() => this.#sound.place(data, pts));
    if (at === undefined) return;
    this.#viewers.push({
      kind: 'audio',
      codec: 'opus',
      keyframe: true,
      disposable: false,
      pts: at,
      payloads: packetiseOpus(data, PAYLOAD_BYTES),
    });
  }

  #emitPicture(picture: Sample, codec: VideoCodec, packetise: PicturePacketiser | undefined): void {
    const sample = this.#rtpSampleOf(picture, codec, packetise);
    if (sample === undefined) return;
    this.#pictures += 1;
    // Each piece is sealed by itself: one copy for all spares every viewer's packets a microsecond.
    this.#viewers.push(this.#viewers.size > 1 ? { ...sample, payloads: sample.payloads.map(inOnePiece) } : sample);
  }

  #stillSample(): RtpSample | undefined {
    const config = this.#tracks.find((track): track is VideoTrackConfig => track.kind === 'video');
    const { picture } = this.#still;
    // What is encoded anew has other parameter sets.
    if (picture === undefined || config === undefined || this.#converter !== undefined) return undefined;
    return this.#rtpSampleOf(picture, config.codec, this.#packetise);
  }

  #rtpSampleOf(picture: Sample, codec: VideoCodec, packetise: PicturePacketiser | undefined): RtpSample | undefined {
    const payloads = orUndefined(() => packetise?.(picture, this.#pictures));
    if (payloads === undefined || payloads.length === 0) return undefined;
    const { keyframe, pts, data } = picture;
    return { kind: 'video', codec, keyframe, disposable: isDisposable(codec, data), pts, payloads };
  }

  #tellOfBFrames(policy: 'drop' | 'send' | 'transcode'): void {
    const done = {
      drop: 'those that no other picture depends on are left out',
      send: 'browsers stutter over them',
      transcode: 'the picture is encoded anew without them',
    }[policy];
    const fix = 'set the encoder to 0 B-frames (x264: bframes=0, or tune zerolatency), or webrtc.bFrames to transcode';
    this.#tellOnce(`the stream has B-frames, which WebRTC can not show: ${done}`, fix);
  }

  #tellOnce(what: string, fix: string): void {
    if (this.#told.has(what)) return;
    this.#told.add(what);
    this.#options.log.warn({ path: this.#source.path, fix }, what);
  }
}

const isSameAs = (a: TrackConfig, b: TrackConfig | undefined): boolean => b !== undefined && sameTrackConfig(a, b);

function inOnePiece(payload: RtpPayload): RtpPayload {
  return payload.pieces.length === 1 ? payload : { ...payload, pieces: [Buffer.concat(payload.pieces)] };
}
