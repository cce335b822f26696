import { type Codec, type Micros, millisFromMicros } from '@sluice/media';
import { type RtcpPacket, type RtpPayload, type Ssrc, writeRtpHeader } from '@sluice/rtp';
import type { Peer } from '@sluice/webrtc';
import type { RtpConsumer, RtpSample } from './rtp-output.js';

/** What was agreed on for one of the media. */
export interface RtpLeg {
  readonly kind: 'video' | 'audio';
  readonly codec: Codec;
  readonly payloadType: number;
  /** RFC 4588; undefined where the peer does without. */
  readonly retransmissionType: number | undefined;
  readonly clockRate: number;
  readonly ssrc: number;
  readonly retransmissionSsrc: number;
}

interface Sent {
  readonly sequence: number;
  readonly timestamp: number;
  readonly payload: RtpPayload;
}

/** Packets that can be sent once more: at 2 Mbit/s, four seconds. */
const HISTORY = 1024;
const REPORT_MS = 1000;
/** Seconds from 1900, when NTP begins, to 1970. */
const NTP_EPOCH = 2_208_988_800;
const HEADER_BYTES = 12;

class LegState {
  readonly leg: RtpLeg;
  readonly offset: number;
  readonly history = new Array<Sent | undefined>(HISTORY);
  sequence: number;
  retransmissionSequence: number;
  packets = 0;
  octets = 0;
  retransmitted = 0;

  constructor(leg: RtpLeg, random: (below: number) => number) {
    this.leg = leg;
    this.offset = random(0xffff_ffff);
    this.sequence = random(0x7fff);
    this.retransmissionSequence = random(0x7fff);
  }
}

/** One viewer over WebRTC: a number for each packet of its own, the payloads are everybody's. */
export class RtpViewer implements RtpConsumer {
  readonly #peer: Peer;
  readonly #legs: readonly LegState[];
  readonly #onEnd: (reason: string) => void;
  readonly #onPictureLost: () => void;
  readonly #wallClock: () => number;
  #hasPicture = false;
  #reportedAt = 0;
  #bytes = 0;
  #asked = 0;

  constructor(options: {
    peer: Peer;
    legs: readonly RtpLeg[];
    random: (below: number) => number;
    /** ms since 1970. */
    wallClock: () => number;
    onEnd: (reason: string) => void;
    /** It can't go on without a keyframe. */
    onPictureLost: () => void;
  }) {
    this.#peer = options.peer;
    this.#legs = options.legs.map((leg) => new LegState(leg, options.random));
    this.#wallClock = options.wallClock;
    this.#onEnd = options.onEnd;
    this.#onPictureLost = options.onPictureLost;
  }

  /** Bytes of payload that were sent. */
  get bytes(): number {
    return this.#bytes;
  }

  /** By the names that browsers use. */
  figures(): Record<string, number> {
    const sum = (of: (leg: LegState) => number) => this.#legs.reduce((total, leg) => total + of(leg), 0);
    return {
      packetsSent: sum(({ packets }) => packets),
      retransmittedPacketsSent: sum(({ retransmitted }) => retransmitted),
      nackCount: this.#asked,
    };
  }

  codecs(codecs: readonly Codec[]): void {
    if (codecs.length === 0 || this.#legs.some(({ leg }) => codecs.includes(leg.codec))) return;
    this.#onEnd(`the stream is ${codecs.join(' and ')} now, on which was not agreed`);
  }

  sample({ kind, codec, keyframe, pts, payloads }: RtpSample): void {
    const state = this.#legs.find(({ leg }) => leg.codec === codec);
    if (state === undefined) return;
    if (kind === 'video' && keyframe) this.#hasPicture = true;
    if (kind === 'video' && !this.#hasPicture) return;
    const timestamp = (state.offset + Math.round((pts * state.leg.clockRate) / 1_000_000)) >>> 0;
    for (const payload of payloads) this.#send(state, payload, timestamp);
    this.#report(pts);
  }

  ended(reason: string): void {
    this.#onEnd(reason);
  }

  /** What the peer reports: packets that it misses go out again. */
  receive(packets: readonly RtcpPacket[]): void {
    for (const packet of packets) {
      if (packet.type === 'pli' || packet.type === 'fir') this.#onPictureLost();
      if (packet.type !== 'nack') continue;
      this.#asked += 1;
      const state = this.#legs.find(({ leg }) => leg.ssrc === packet.media);
      if (state !== undefined) for (const number of packet.lost) this.#sendAgain(state, number);
    }
  }

  #send(state: LegState, payload: RtpPayload, timestamp: number): void {
    const { leg, sequence } = state;
    state.sequence = (sequence + 1) & 0xffff;
    state.history[sequence % HISTORY] = { sequence, timestamp, payload };
    state.packets += 1;
    state.octets += payload.length;
    this.#bytes += payload.length;
    const { marker, pieces } = payload;
    const { payloadType, ssrc } = leg;
    this.#peer.sendRtp(headerOf({ marker, payloadType, sequence, timestamp, ssrc }), pieces);
  }

  /** RFC 4588 §4: as a packet of another source, with the number that it had; or, without that, as it was. */
  #sendAgain(state: LegState, number: number): void {
    const sent = state.history[number % HISTORY];
    if (sent?.sequence !== number) return;
    state.retransmitted += 1;
    this.#bytes += sent.payload.length;
    const { payloadType, retransmissionType, ssrc, retransmissionSsrc } = state.leg;
    const { timestamp, payload } = sent;
    const { marker, pieces } = payload;
    if (retransmissionType === undefined) {
      this.#peer.sendRtp(headerOf({ marker, payloadType, sequence: number, timestamp, ssrc }), pieces);
      return;
    }
    const sequence = state.retransmissionSequence;
    state.retransmissionSequence = (sequence + 1) & 0xffff;
    const header = headerOf({ marker, payloadType: retransmissionType, sequence, timestamp, ssrc: retransmissionSsrc });
    this.#peer.sendRtp(header, [Buffer.from([number >>> 8, number & 0xff]), ...pieces]);
  }

  /** Sender reports tie the timelines of picture and sound together, RFC 3550 §6.4.1. */
  #report(pts: Micros): void {
    const now = this.#wallClock();
    if (now - this.#reportedAt < REPORT_MS) return;
    this.#reportedAt = now;
    // One wall time for all of the stream's legs: where its sample of now is.
    const [ntpSeconds, fraction] = [Math.floor(now / 1000) + NTP_EPOCH, (now % 1000) / 1000];
    const reports: RtcpPacket[] = this.#legs.map(({ leg, offset, packets, octets }) => ({
      type: 'sender-report',
      ssrc: leg.ssrc as Ssrc,
      ntpSeconds,
      ntpFraction: Math.floor(fraction * 2 ** 32),
      rtpTimestamp: (offset + Math.round((millisFromMicros(pts) * leg.clockRate) / 1000)) >>> 0,
      packets,
      octets,
      reports: [],
    }));
    this.#peer.sendRtcp(reports);
  }
}

function headerOf(fields: Parameters<typeof writeRtpHeader>[1]): Buffer {
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  writeRtpHeader(header, fields);
  return header;
}
