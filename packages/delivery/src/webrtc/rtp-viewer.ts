import { type Codec, type Micros, millisFromMicros } from '@sluice/media';
import { type ReceptionReport, type RtcpPacket, type RtpPayload, type Ssrc, writeRtpHeader } from '@sluice/rtp';
import type { Peer } from '@sluice/webrtc';
import type { RtpConsumer, RtpSample } from './rtp-output.js';
import { ViewerLine } from './viewer-line.js';

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
  /** The header extension of transport-wide numbers; undefined where the peer gives no feedback on them. */
  readonly transportSequenceId?: number | undefined;
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
/** With an extension that holds a number. */
const NUMBERED_HEADER_BYTES = 20;
/** A longer round trip is a clock that was set. */
const LONGEST_ROUND_TRIP = 60;

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
  readonly #now: () => number;
  /** Undefined where the peer gives no feedback: it is sent all, then. */
  readonly #line: ViewerLine | undefined;
  #roundTrip: number | undefined;
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
    /** ms of a clock that only goes forward. */
    now: () => number;
    onEnd: (reason: string) => void;
    /** It can't go on without a keyframe. */
    onPictureLost: () => void;
  }) {
    this.#peer = options.peer;
    this.#legs = options.legs.map((leg) => new LegState(leg, options.random));
    this.#wallClock = options.wallClock;
    this.#now = options.now;
    const isNumbered = options.legs.some(({ transportSequenceId }) => transportSequenceId !== undefined);
    this.#line = isNumbered ? new ViewerLine() : undefined;
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
      ...(this.#roundTrip === undefined ? {} : { roundTripTime: this.#roundTrip }),
      ...this.#line?.figures(),
    };
  }

  codecs(codecs: readonly Codec[]): void {
    if (codecs.length === 0 || this.#legs.some(({ leg }) => codecs.includes(leg.codec))) return;
    this.#onEnd(`the stream is ${codecs.join(' and ')} now, on which was not agreed`);
  }

  sample(sample: RtpSample): void {
    const { kind, codec, keyframe, pts } = sample;
    const state = this.#legs.find(({ leg }) => leg.codec === codec);
    if (state === undefined) return;
    if (kind === 'video' && keyframe) this.#hasPicture = true;
    if (kind === 'video' && !this.#hasPicture) return;
    const now = this.#now();
    if (kind === 'audio' || this.#hasRoom(sample, now)) this.#sendAll(state, sample, now);
    this.#report(pts);
  }

  still(sample: RtpSample): void {
    const state = this.#legs.find(({ leg }) => leg.codec === sample.codec);
    if (state === undefined || this.#hasPicture) return;
    this.#sendAll(state, sample, this.#now());
    this.#report(sample.pts);
  }

  ended(reason: string): void {
    this.#onEnd(reason);
  }

  /** What the peer reports: packets that it misses go out again. */
  receive(packets: readonly RtcpPacket[]): void {
    for (const packet of packets) {
      if (packet.type === 'pli' || packet.type === 'fir') this.#onPictureLost();
      if (packet.type === 'transport-feedback') this.#line?.feedback(packet, this.#now());
      if (packet.type === 'receiver-report') for (const report of packet.reports) this.#measure(report);
      if (packet.type !== 'nack') continue;
      this.#asked += 1;
      const state = this.#legs.find(({ leg }) => leg.ssrc === packet.media);
      if (state !== undefined) for (const number of packet.lost) this.#sendAgain(state, number);
    }
  }

  #hasRoom(sample: RtpSample, now: number): boolean {
    if (this.#line === undefined) return true;
    let bytes = 0;
    for (const { length } of sample.payloads) bytes += length;
    return this.#line.hasRoom(bytes, sample, now);
  }

  #sendAll(state: LegState, { pts, payloads }: RtpSample, now: number): void {
    const timestamp = (state.offset + Math.round((pts * state.leg.clockRate) / 1_000_000)) >>> 0;
    for (const payload of payloads) this.#send(state, payload, timestamp, now);
  }

  #send(state: LegState, payload: RtpPayload, timestamp: number, now: number): void {
    const { leg, sequence } = state;
    state.sequence = (sequence + 1) & 0xffff;
    state.history[sequence % HISTORY] = { sequence, timestamp, payload };
    state.packets += 1;
    state.octets += payload.length;
    this.#bytes += payload.length;
    const { marker, pieces } = payload;
    const { payloadType, ssrc } = leg;
    const extension = this.#extensionOf(leg, payload, now);
    this.#peer.sendRtp(headerOf({ marker, payloadType, sequence, timestamp, ssrc, extension }), pieces);
  }

  #extensionOf({ transportSequenceId: id }: RtpLeg, { length }: RtpPayload, now: number): Buffer | undefined {
    return id === undefined ? undefined : this.#line?.number(id, length, now);
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
    const extension = this.#extensionOf(state.leg, payload, this.#now());
    if (retransmissionType === undefined) {
      this.#peer.sendRtp(headerOf({ marker, payloadType, sequence: number, timestamp, ssrc, extension }), pieces);
      return;
    }
    const sequence = state.retransmissionSequence;
    state.retransmissionSequence = (sequence + 1) & 0xffff;
    const header = headerOf({
      marker,
      payloadType: retransmissionType,
      sequence,
      timestamp,
      ssrc: retransmissionSsrc,
      extension,
    });
    this.#peer.sendRtp(header, [Buffer.from([number >>> 8, number & 0xff]), ...pieces]);
  }

  /** RFC 3550 §6.4.1: from our report to theirs, without what they kept it for. */
  #measure({ lastSenderReport, delay }: ReceptionReport): void {
    if (lastSenderReport === 0) return;
    const [seconds, fraction] = ntpOf(this.#wallClock());
    const middle = (seconds % 0x1_0000) * 0x1_0000 + Math.floor(fraction * 0x1_0000);
    const roundTrip = ((middle - lastSenderReport - delay) >>> 0) / 0x1_0000;
    if (roundTrip < LONGEST_ROUND_TRIP) this.#roundTrip = roundTrip;
  }

  /** Sender reports tie the timelines of picture and sound together, RFC 3550 §6.4.1. */
  #report(pts: Micros): void {
    const now = this.#wallClock();
    if (now - this.#reportedAt < REPORT_MS) return;
    this.#reportedAt = now;
    // One wall time for all of the stream's legs: where its sample of now is.
    const [ntpSeconds, fraction] = ntpOf(now);
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
  const header = Buffer.allocUnsafe(fields.extension === undefined ? HEADER_BYTES : NUMBERED_HEADER_BYTES);
  writeRtpHeader(header, fields);
  return header;
}

/** Seconds since 1900, and the part of the second. */
function ntpOf(wallTime: number): readonly [number, number] {
  return [Math.floor(wallTime / 1000) + NTP_EPOCH, (wallTime % 1000) / 1000];
}
