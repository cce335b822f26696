import {
  buildAvcC,
  buildOpusHead,
  h264TrackConfig,
  MediaError,
  type MediaEvent,
  micros,
  opusTrackConfig,
  type TrackConfig,
} from '@sluice/media';
import {
  type Depacketised,
  H264Depacketiser,
  JitterBuffer,
  Reception,
  type ReceptionReport,
  type RtcpPacket,
  RtpError,
  type RtpPacket,
  type Ssrc,
  Unwrapper,
} from '@sluice/rtp';

/** What was agreed on for one of the media. */
export interface RtpLegTerms {
  readonly kind: 'video' | 'audio';
  readonly track: number;
  readonly payloadType: number;
  readonly retransmissionType: number | undefined;
  readonly clockRate: number;
  /** The header extension of transport-wide numbers; undefined where the peer has none. */
  readonly transportSequenceId?: number | undefined;
}

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
  readonly #depacketiser = new H264Depacketiser();
  #ssrc: Ssrc | undefined;
  #config: TrackConfig | undefined;
  /** Microseconds of the session's timeline at timestamp 0. */
  #origin: number | undefined;
  /** Microseconds of the peer's clock at timestamp 0. */
  #peerOrigin: number | undefined;
  #needsKeyframe: boolean;

  constructor(terms: RtpLegTerms, emit: (event: MediaEvent) => void) {
    this.terms = terms;
    this.#emit = emit;
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
        this.#depacketiser.lost();
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
    if (this.terms.kind === 'video') {
      for (const picture of this.#pictures(payload, marker, timestamp)) this.#takePicture(picture);
      return;
    }
    if (payload.length === 0) return;
    const { track } = this.terms;
    this.#configure(opusTrackConfig(track, buildOpusHead({ channels: CHANNELS, preSkip: 0, inputSampleRate: 48_000 })));
    this.#sample(payload, timestamp, true);
  }

  #takePicture({ accessUnit, keyframe, parameterSets, timestamp }: Depacketised): void {
    const isSps = (unit: Buffer) => ((unit[0] ?? 0) & 0x1f) === 7;
    const [sps, pps] = [parameterSets.filter(isSps), parameterSets.filter((unit) => !isSps(unit))];
    if (sps.length > 0 && pps.length > 0) this.#configureVideo(sps, pps);
    if (keyframe) this.#needsKeyframe = false;
    if (this.#config !== undefined && !this.#needsKeyframe) this.#sample(accessUnit, timestamp, keyframe);
  }

  #sample(data: Buffer, timestamp: number, keyframe: boolean): void {
    const { track, kind } = this.terms;
    const time = micros(Math.round((this.#origin ?? 0) + this.#micros(timestamp)));
    this.#emit({ type: 'sample', sample: { track, kind, dts: time, pts: time, keyframe, data } });
  }

  #pictures(payload: Buffer, marker: boolean, timestamp: number): Depacketised[] {
    try {
      return this.#depacketiser.push(payload, marker, timestamp);
    } catch (error) {
      if (!(error instanceof RtpError)) throw error;
      this.#depacketiser.lost();
      this.#needsKeyframe = true;
      return [];
    }
  }

  #configureVideo(sps: readonly Buffer[], pps: readonly Buffer[]): void {
    try {
      this.#configure(h264TrackConfig(this.terms.track, buildAvcC(sps, pps)));
    } catch (error) {
      // Parameter sets that can't be read: the picture is left out until there are better ones.
      if (!(error instanceof MediaError)) throw error;
    }
  }

  #configure(config: TrackConfig): void {
    if (this.#config?.description.equals(config.description)) return;
    this.#config = config;
    this.#emit({ type: 'config', config });
  }

  #micros(timestamp: number): number {
    return (this.#timestamps.unwrap(timestamp) * 1_000_000) / this.terms.clockRate;
  }
}
