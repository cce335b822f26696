import type { MediaEvent } from '@sluice/media';
import { ArrivalLog, type RtcpPacket, type RtpPacket, readHeaderExtension, type Ssrc } from '@sluice/rtp';
import { TrackGathering } from '../track-gathering.js';
import { RtpLeg, type RtpLegTerms } from './rtp-leg.js';

/** What tells a publisher's encoder that there is this much room; it finds out by itself where there isn't. */
const BITRATE = 8_000_000;
const REPORT_MS = 1000;
/** Viewers and segments begin at keyframes, and browsers make one only when they are asked. */
const KEYFRAME_MS = 2000;
/** However many viewers come, they cost the encoder no more than this. */
const KEYFRAME_WANTED_MS = 1000;
/** A keyframe is under way for about so long. */
const KEYFRAME_AGAIN_MS = 300;
/** Smaller differences between picture and sound nobody sees. */
const LEAST_SKEW = 15_000;

/** Makes samples of what a WebRTC publisher sends, and says what it is to send: RTP and time in, media and RTCP out. */
export class RtpIngest {
  readonly #legs: readonly RtpLeg[];
  readonly #gathering: TrackGathering;
  readonly #sendRtcp: (packets: readonly RtcpPacket[]) => void;
  /** Undefined where the publisher doesn't number its packets: then it is told a bitrate. */
  readonly #arrivals: ArrivalLog | undefined;
  readonly #ownSsrc: Ssrc;
  #bytes = 0;
  #reportedAt = 0;
  #keyframeAskedAt = Number.NEGATIVE_INFINITY;
  #keyframeWanted = false;

  constructor(options: {
    legs: readonly RtpLegTerms[];
    ownSsrc: Ssrc;
    emit: (event: MediaEvent) => void;
    sendRtcp: (packets: readonly RtcpPacket[]) => void;
    /** Called once for each of the media of which something can't be read. */
    onUnreadable: (terms: RtpLegTerms, reason: string) => void;
  }) {
    this.#gathering = new TrackGathering(options.emit);
    const emit = (event: MediaEvent) => this.#gathering.write(event);
    this.#legs = options.legs.map((terms) => new RtpLeg(terms, emit, (reason) => options.onUnreadable(terms, reason)));
    this.#sendRtcp = options.sendRtcp;
    const isNumbered = options.legs.some(({ transportSequenceId }) => transportSequenceId !== undefined);
    this.#arrivals = isNumbered ? new ArrivalLog() : undefined;
    this.#ownSsrc = options.ownSsrc;
  }

  /** Bytes of payload that have come. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @param now ms since the session began */
  rtp(packet: RtpPacket, now: number): void {
    this.#bytes += packet.payload.length;
    const { payloadType } = packet;
    const leg = this.#legs.find(({ terms }) => {
      return terms.payloadType === payloadType || terms.retransmissionType === payloadType;
    });
    if (leg === undefined) return;
    this.#note(leg.terms, packet, now);
    leg.receive(packet, now);
  }

  rtcp(packets: readonly RtcpPacket[], now: number): void {
    for (const packet of packets) {
      if (packet.type !== 'sender-report') continue;
      for (const leg of this.#legs) leg.senderReport(packet, now);
      this.#align();
    }
  }

  /** Somebody needs a picture to begin with. */
  requestKeyframe(): void {
    this.#keyframeWanted = true;
  }

  /** Asks for what is missing, and reports. Called about every 20 ms. */
  tick(now: number): void {
    const packets: RtcpPacket[] = [];
    for (const leg of this.#legs) {
      leg.flush(now);
      const { ssrc } = leg;
      if (ssrc === undefined) continue;
      const lost = leg.toAskFor(now);
      if (lost.length > 0) packets.push({ type: 'nack', sender: this.#ownSsrc, media: ssrc, lost });
      if (leg.terms.kind === 'video' && this.#isKeyframeDue(leg, now)) {
        this.#keyframeAskedAt = now;
        this.#keyframeWanted = false;
        packets.push({ type: 'pli', sender: this.#ownSsrc, media: ssrc });
      }
    }
    if (now - this.#reportedAt >= REPORT_MS) {
      this.#reportedAt = now;
      const reports = this.#legs.flatMap((leg) => leg.report(now) ?? []);
      const ssrcs = this.#legs.flatMap(({ ssrc }) => ssrc ?? []);
      packets.unshift({ type: 'receiver-report', ssrc: this.#ownSsrc, reports });
      const needsBitrate = this.#arrivals === undefined && ssrcs.length > 0;
      if (needsBitrate) packets.push({ type: 'remb', sender: this.#ownSsrc, bitrate: BITRATE, ssrcs });
    }
    if (packets.length > 0) this.#sendRtcp(packets);
    for (const feedback of this.#transportFeedback(now)) this.#sendRtcp([feedback]);
  }

  /** Lets out what was held back. */
  end(): void {
    this.#gathering.release();
  }

  #note({ transportSequenceId: id }: RtpLegTerms, { extension }: RtpPacket, now: number): void {
    const content = id === undefined ? undefined : readHeaderExtension(extension, id);
    if (content !== undefined && content.length >= 2) this.#arrivals?.arrived(content.readUInt16BE(0), now);
  }

  /** For the publisher's own estimate of its line. It must name a source that the publisher knows. */
  #transportFeedback(now: number): RtcpPacket[] {
    const media = this.#legs.find(({ ssrc }) => ssrc !== undefined)?.ssrc;
    if (media === undefined || this.#arrivals?.isDue(now) !== true) return [];
    const sender = this.#ownSsrc;
    return this.#arrivals.take(now).map((feedback) => ({ type: 'transport-feedback', sender, media, ...feedback }));
  }

  #isKeyframeDue(leg: RtpLeg, now: number): boolean {
    const since = now - this.#keyframeAskedAt;
    if (leg.needsKeyframe) return since >= KEYFRAME_AGAIN_MS;
    return since >= (this.#keyframeWanted ? KEYFRAME_WANTED_MS : KEYFRAME_MS);
  }

  /** Sender reports tell which picture belongs to which sound: sound follows the picture. */
  #align(): void {
    const video = this.#legs.find(({ terms }) => terms.kind === 'video');
    const audio = this.#legs.find(({ terms }) => terms.kind === 'audio');
    if (video?.origin === undefined || audio?.origin === undefined) return;
    if (video.peerOrigin === undefined || audio.peerOrigin === undefined) return;
    const wanted = video.origin + (audio.peerOrigin - video.peerOrigin);
    if (Math.abs(wanted - audio.origin) > LEAST_SKEW) audio.align(wanted);
  }
}
