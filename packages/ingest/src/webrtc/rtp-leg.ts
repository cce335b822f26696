import {
  buildOpusHead,
  MediaError,
  type MediaEvent,
  micros,
  opusTrackConfig,
  sameTrackConfig,
  type TrackConfig,
  type VideoCodec,
} from '@sluice/media';
import {
  type Depacketised,
  type Depacketiser,
  JitterBuffer,
  Reception,
  type ReceptionReport,
  type RtcpPacket,
  RtpError,
  type RtpPacket,
  type Ssrc,
  Unwrapper,
} from '@sluice/rtp';
import { PICTURE_FORMATS, type PictureFormat } from './picture-format.js';

/** What was agreed on for one of the media. */
export type RtpLegTerms = {
  readonly track: number;
  readonly payloadType: number;
  readonly retransmissionType: number | undefined;
  readonly clockRate: number;
  /** The header extension of transport-wide numbers; undefined where the peer has none. */
  readonly transportSequenceId?: number | undefined;
} & ({ readonly kind: 'video'; readonly codec: VideoCodec } | { readonly kind: 'audio'; readonly codec: 'opus' });

type SenderReport = Extract<RtcpPacket, { readonly type: 'sender-report' }>;

/** A missing packet that comes within this is still of use; it is as long as sound and picture are held back. */
const HOLD_MS = 150;
const CHANNELS = 2;

/** One source of a WebRTC publisher: its packets in order, and samples of them. */
export class RtpLeg {
  readonly terms: RtpLegTerms;
  readonly #emit: (event: MediaEvent) => void;
  readonly #jitter = new JitterBuffer(HOLD_MS);
  readonly #reception: Reception;
  readonly #timestamps = new Unwrapper(32);
  readonly #onUnreadable: (reason: string) => void;
  /** Of video. */
  readonly #format: PictureFormat | undefined;
  readonly #depacketiser: Depacketiser | undefined;
  #hasTold = false;
  #ssrc: Ssrc | undefined;
  #config: TrackConfig | undefined;
  /** Microseconds of the session's timeline at timestamp 0. */
  #origin: number | undefined;
  /** Microseconds of the peer's clock at timestamp 0. */
  #peerOrigin: number | undefined;
  #needsKeyframe: boolean;

  /** @param onUnreadable called the first time that something can't be read */
  constructor(terms: RtpLegTerms, emit: (event: MediaEvent) => void, onUnreadable: (reason: string) => void) {
    this.terms = terms;
    this.#emit = emit;
    this.#onUnreadable = onUnreadable;
    this.#format = terms.kind === 'video' ? PICTURE_FORMATS[terms.codec] : undefined;
    this.#depacketiser = this.#format?.depacketiser();
    this.#reception = new Reception(terms.clockRate);
    this.#needsKeyframe = terms.kind === 'video';
  }

  get ssrc(): Ssrc | undefined {
    return this.#ssrc;
  }

  /** Whether nothing can be decoded before the next keyframe. */
  get needsKeyframe(): boolean {
    return this.#needsKeyframe;
  }

  get peerOrigin(): number | undefined {
    return this.#peerOrigin;
  }

  get origin(): number | undefined {
    return this.#origin;
  }

  /** Moves this leg on the session's timeline, so that it fits to the other one. */
  align(origin: number): void {
    this.#origin = origin;
  }

  /** @param now ms since the session began */
  receive(packet: RtpPacket, now: number): void {
    const original = this.#original(packet);
    if (original === undefined) return;
    if (packet.payloadType === this.terms.payloadType) {
      this.#ssrc = packet.ssrc;
      this.#reception.packet(packet, now);
    }
    if (this.#jitter.push(original, now)) this.flush(now);
  }

  senderReport(report: SenderReport, now: number): void {
    if (report.ssrc !== this.#ssrc) return;
    this.#reception.senderReport(report, now);
    const time = report.ntpSeconds * 1_000_000 + (report.ntpFraction / 2 ** 32) * 1_000_000;
    this.#peerOrigin = time - this.#micros(report.rtpTimestamp);
  }

  report(now: number): ReceptionReport | undefined {
    return this.#reception.report(now);
  }

  toAskFor(now: number): number[] {
    return this.#jitter.toAskFor(now);
  }

  /** Gives out what is in order, or has been waited for long enough. */
  flush(now: number): void {
    for (let next = this.#jitter.take(now); next !== undefined; next = this.#jitter.take(now)) {
      if (next.kind === 'lost') {
        this.#depacketiser?.lost();
        this.#needsKeyframe = this.terms.kind === 'video';
      } else this.#unpack(next.packet, now);
    }
  }

  /** What was sent once more comes by a source of its own, RFC 4588 §4. */
  #original(packet: RtpPacket): RtpPacket | undefined {
    const { payloadType, retransmissionType } = this.terms;
    if (packet.payloadType !== retransmissionType) return packet;
    const { payload } = packet;
    if (payload.length < 2 || this.#ssrc === undefined) return undefined;
    const sequence = payload.readUInt16BE(0);
    return { ...packet, payloadType, ssrc: this.#ssrc, sequence, payload: payload.subarray(2) };
  }

  #unpack({ payload, marker, timestamp }: RtpPacket, now: number): void {
    this.#origin ??= now * 1000 - this.#micros(timestamp);
    if (this.#depacketiser !== undefined) {
      for (const picture of this.#pictures(this.#depacketiser, payload, marker, timestamp)) this.#takePicture(picture);
      return;
    }
    if (payload.length === 0) return;
    const { track } = this.terms;
    this.#configure(opusTrackConfig(track, buildOpusHead({ channels: CHANNELS, preSkip: 0, inputSampleRate: 48_000 })));
    this.#sample(payload, timestamp, true);
  }

  #takePicture(picture: Depacketised): void {
    const config = this.#configOf(picture);
    if (config !== undefined) this.#configure(config);
    if (picture.keyframe) this.#needsKeyframe = false;
    if (this.#config === undefined || this.#needsKeyframe) return;
    this.#sample(picture.accessUnit, picture.timestamp, picture.keyframe);
  }

  #sample(data: Buffer, timestamp: number, keyframe: boolean): void {
    const { track, kind } = this.terms;
    const time = micros(Math.round((this.#origin ?? 0) + this.#micros(timestamp)));
    this.#emit({ type: 'sample', sample: { track, kind, dts: time, pts: time, keyframe, data } });
  }

  #pictures(depacketiser: Depacketiser, payload: Buffer, marker: boolean, timestamp: number): Depacketised[] {
    try {
      return depacketiser.push(payload, marker, timestamp);
    } catch (error) {
      if (!(error instanceof RtpError)) throw error;
      this.#tell(error.message);
      this.#needsKeyframe = true;
      return [];
    }
  }

  /** What can't be read is left out, until there is something better. */
  #configOf(picture: Depacketised): TrackConfig | undefined {
    try {
      return this.#format?.configOf(this.terms.track, picture);
    } catch (error) {
      if (!(error instanceof MediaError)) throw error;
      this.#tell(error.message);
      return undefined;
    }
  }

  #tell(reason: string): void {
    if (this.#hasTold) return;
    this.#hasTold = true;
    this.#onUnreadable(reason);
  }

  #configure(config: TrackConfig): void {
    if (this.#config !== undefined && sameTrackConfig(this.#config, config)) return;
    this.#config = config;
    this.#emit({ type: 'config', config });
  }

  #micros(timestamp: number): number {
    return (this.#timestamps.unwrap(timestamp) * 1_000_000) / this.terms.clockRate;
  }
}
