import { messageOf } from '../message-of.js';
import { readAck, writeAck } from '../wire/ack.js';
import { readDropRequest, writeDropRequest } from '../wire/drop-request.js';
import { KM_STATE } from '../wire/key-material.js';
import { type LossRange, readNak, writeNak } from '../wire/nak.js';
import {
  CONTROL,
  type ControlPacket,
  type DataPacket,
  HEADER_BYTES,
  type KeySlot,
  markRetransmitted,
  NO_CONTENT,
  type Packet,
  type SocketId,
  writeControl,
  writeDataHeader,
} from '../wire/packet.js';
import { type SequenceNumber, sequenceAdd, sequenceDistance } from '../wire/sequence.js';
import { type Micros, micros, type Timestamp, timestampOf } from '../wire/timestamp.js';
import { DeliveryClock } from './delivery-clock.js';
import type { ReceiveKeys, SendKeys } from './keys.js';
import { ReceiveBuffer, WINDOW } from './receive-buffer.js';
import { ReorderWatch } from './reorder-watch.js';
import { RoundTripTime } from './rtt.js';
import { SendBuffer } from './send-buffer.js';
import type { SrtStatistics } from './statistics.js';

/** Where a connection's datagrams and payloads go. */
export interface ConnectionOutput {
  /** To the peer. The memory is not changed before the call returns, and may be sent again later. */
  datagram(bytes: Buffer): void;
  /** From the peer, in order and in time. */
  payload(bytes: Buffer): void;
  /** It is over: no other call comes after this. */
  closed(reason: string): void;
}

/** What the handshake has settled. */
export interface ConnectionTerms {
  readonly peerId: SocketId;
  readonly initialSequence: SequenceNumber;
  readonly peerInitialSequence: SequenceNumber;
  /** Largest datagram, without IP and UDP headers. */
  readonly maxDatagram: number;
  readonly flowWindow: number;
  /** Milliseconds that what comes is delayed. */
  readonly receiveLatency: number;
  /** Milliseconds that the peer delays what goes. */
  readonly sendLatency: number;
  /** Of the peer's handshake packet that came at the beginning. */
  readonly peerTimestamp: Timestamp;
  readonly periodicNak: boolean;
  readonly tooLateDrop: boolean;
  readonly sendKeys: SendKeys | undefined;
  readonly receiveKeys: ReceiveKeys | undefined;
}

const ACK_INTERVAL = 10_000;
const NAK_LEAST_INTERVAL = 20_000;
const KEEP_ALIVE_INTERVAL = 1_000_000;
/** A peer that has said nothing for so long is gone. */
const PEER_TIMEOUT = 5_000_000;
const KEY_REPEAT_INTERVAL = 1_000_000;
/** What is older than its latency and this is not sent any more, §4.6. */
const SEND_DROP_LEAST = 1_000_000;
const ACKS_REMEMBERED = 64;
/** Subtypes of the user-defined control type, §3.2.2. */
const KM_REQUEST = 3;
const KM_RESPONSE = 4;
const FIRST_AND_LAST = 3;
/** A peer that says it has no room would otherwise never be asked again. */
const LEAST_WINDOW = 16;

/** An SRT connection after its handshake, in live mode: datagrams and time in, datagrams and payloads out. */
export class SrtConnection {
  readonly #terms: ConnectionTerms;
  readonly #output: ConnectionOutput;
  readonly #startedAt: Micros;
  readonly #rtt = new RoundTripTime();
  readonly #clock: DeliveryClock;
  readonly #receiving: ReceiveBuffer;
  readonly #sending: SendBuffer;
  readonly #reordering = new ReorderWatch();
  readonly #ackTimes = new Map<number, Micros>();
  readonly #counts = {
    pktSent: 0,
    pktRecv: 0,
    pktSndLoss: 0,
    pktRcvLoss: 0,
    pktRetrans: 0,
    pktRcvRetrans: 0,
    pktSndDrop: 0,
    pktRcvDrop: 0,
    pktRcvBelated: 0,
    pktRcvUndecrypt: 0,
    byteSent: 0,
    byteRecv: 0,
  };
  #ackNumber = 0;
  #acked: SequenceNumber;
  #peerHasAck = true;
  #nextAck: number;
  #nextNak: number;
  #lastHeard: Micros;
  #lastSent: Micros;
  #lastProgress: Micros;
  #messageNumber = 1;
  #peerWindow: number;
  #keyToldAt: number | undefined;
  /** The peer has said goodbye; what it sent before is still to be delivered. */
  #isEnding = false;
  #isClosed = false;

  /** @param options.now when the handshake ended */
  constructor(options: { terms: ConnectionTerms; output: ConnectionOutput; startedAt: Micros; now: Micros }) {
    const { terms, now } = options;
    this.#terms = terms;
    this.#output = options.output;
    this.#startedAt = options.startedAt;
    const latency = terms.receiveLatency * 1000;
    this.#clock = new DeliveryClock({ now, timestamp: terms.peerTimestamp, latency });
    this.#receiving = new ReceiveBuffer(terms.peerInitialSequence);
    this.#sending = new SendBuffer(terms.initialSequence);
    this.#acked = terms.peerInitialSequence;
    this.#peerWindow = Math.min(terms.flowWindow, WINDOW);
    this.#nextAck = now + ACK_INTERVAL;
    this.#nextNak = now + NAK_LEAST_INTERVAL;
    this.#lastHeard = now;
    this.#lastSent = now;
    this.#lastProgress = now;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Largest payload that `send` takes. */
  get maxPayload(): number {
    return this.#terms.maxDatagram - HEADER_BYTES - 16;
  }

  statistics(now: Micros): SrtStatistics {
    const seconds = Math.max(1, now - this.#startedAt) / 1_000_000;
    const { byteSent, byteRecv } = this.#counts;
    return {
      ...this.#counts,
      msRTT: this.#rtt.mean / 1000,
      msRcvBuf: this.#receiving.span / 1000,
      mbpsSendRate: (byteSent * 8) / seconds / 1_000_000,
      mbpsRecvRate: (byteRecv * 8) / seconds / 1_000_000,
    };
  }

  /** Takes a packet of this connection that `readPacket` has read. What is wrong in it is dropped. */
  receive(packet: Packet, header: Buffer, now: Micros): void {
    if (this.#isClosed) return;
    this.#lastHeard = now;
    this.#clock.heard(packet.timestamp);
    if (packet.kind === 'data') this.#receiveData(packet, header, now);
    else this.#receiveControl(packet, now);
    this.#deliver(now);
  }

  /**
   * Sends a payload.
   *
   * @returns false where so much is under way that it was dropped
   */
  send(payload: Buffer, now: Micros): boolean {
    if (this.#isClosed || this.#isEnding || payload.length > this.maxPayload) return false;
    const { sendKeys, peerId, sendLatency } = this.#terms;
    if (this.#sending.underWay >= Math.min(this.#peerWindow, WINDOW)) {
      this.#dropTooLate(now, sendLatency);
      if (this.#sending.underWay >= Math.min(this.#peerWindow, WINDOW)) {
        this.#counts.pktSndDrop += 1;
        return false;
      }
    }
    if (sendKeys?.count() === true) this.#announceKey(now);
    const number = this.#sending.next;
    const key: KeySlot = sendKeys?.slot ?? 'none';
    const header = Buffer.allocUnsafe(HEADER_BYTES);
    writeDataHeader(header, {
      sequence: number,
      boundary: FIRST_AND_LAST,
      inOrder: false,
      key,
      retransmitted: false,
      messageNumber: this.#messageNumber,
      timestamp: this.#timestamp(now),
      destination: peerId,
    });
    this.#messageNumber = (this.#messageNumber + 1) & 0x03ff_ffff || 1;
    const body = sendKeys === undefined ? payload : sendKeys.encrypt(number, payload, header);
    const datagram = Buffer.concat([header, body]);
    if (this.#sending.underWay === 0) this.#lastProgress = now;
    this.#sending.push(datagram, now);
    this.#counts.pktSent += 1;
    this.#counts.byteSent += payload.length;
    this.#emit(datagram, now);
    return true;
  }

  /** Does what only time brings: deliveries, reports, repetitions. Called about every 10 ms. */
  tick(now: Micros): void {
    if (this.#isClosed) return;
    if (now - this.#lastHeard > PEER_TIMEOUT) {
      this.#close('the peer has been silent for 5 s');
      return;
    }
    this.#deliver(now);
    // To a peer that is gone there is nothing to say.
    if (this.#isEnding || this.#isClosed) return;
    if (now >= this.#nextAck) {
      this.#nextAck = now + ACK_INTERVAL;
      this.#acknowledge(now);
    }
    if (this.#terms.periodicNak && now >= this.#nextNak) {
      this.#nextNak = now + Math.max(NAK_LEAST_INTERVAL, this.#rtt.timeout / 2);
      this.#reportLoss(this.#receiving.gaps(), now);
    }
    for (const range of this.#reordering.due(now)) this.#reportLoss(this.#receiving.gapsIn(range), now);
    this.#dropTooLate(now, this.#terms.sendLatency);
    this.#repeatTail(now);
    if (this.#keyToldAt !== undefined && now - this.#keyToldAt > KEY_REPEAT_INTERVAL) this.#announceKey(now);
    if (now - this.#lastSent > KEEP_ALIVE_INTERVAL) this.#control(CONTROL.keepAlive, 0, NO_CONTENT, now);
  }

  /** Says goodbye. Later calls do nothing. */
  close(reason: string, now: Micros): void {
    if (this.#isClosed) return;
    this.#control(CONTROL.shutdown, 0, NO_CONTENT, now);
    this.#close(reason);
  }

  #receiveData(packet: DataPacket, header: Buffer, now: Micros): void {
    this.#counts.pktRecv += 1;
    this.#counts.byteRecv += packet.payload.length;
    if (packet.retransmitted) this.#counts.pktRcvRetrans += 1;
    const payload = this.#decrypted(packet, header);
    const arrival = this.#receiving.add(packet.sequence, payload, this.#clock.deliveryTime(packet.timestamp));
    if (arrival.kind === 'gap') {
      const { first, last } = arrival.missing;
      this.#counts.pktRcvLoss += sequenceDistance(first, last) + 1;
      if (this.#reordering.gap(arrival.missing, now)) this.#reportLoss([arrival.missing], now);
    } else if (arrival.kind === 'filled') this.#reordering.filled(packet.sequence, packet.retransmitted, now);
    else if (arrival.kind === 'late') this.#counts.pktRcvBelated += 1;
    else if (arrival.kind === 'beyond') this.#counts.pktRcvDrop += 1;
  }

  /** A packet that can't be read takes its place nonetheless: it is not lost, and asking for it again would not help. */
  #decrypted({ key, sequence, payload, retransmitted }: DataPacket, shownHeader: Buffer): Buffer {
    if (key === 'none') return payload;
    const header = retransmitted ? firstSent(shownHeader) : shownHeader;
    const plain = this.#terms.receiveKeys?.decrypt(key, sequence, payload, header);
    if (plain !== undefined) return plain;
    this.#counts.pktRcvUndecrypt += 1;
    return EMPTY;
  }

  #receiveControl(packet: ControlPacket, now: Micros): void {
    try {
      switch (packet.type) {
        case CONTROL.ack:
          this.#receiveAck(packet, now);
          break;
        case CONTROL.nak:
          this.#receiveNak(readNak(packet.content), now);
          break;
        case CONTROL.ackAck:
          this.#receiveAckAck(packet, now);
          break;
        case CONTROL.dropRequest:
          this.#counts.pktRcvDrop += this.#receiving.drop(readDropRequest(packet.content));
          break;
        case CONTROL.shutdown:
          this.#isEnding = true;
          break;
        case CONTROL.peerError:
          this.#close(`the peer reports error ${packet.info}`);
          break;
        case CONTROL.userDefined:
          this.#receiveKeyMessage(packet, now);
          break;
        default:
        // Keep-alives have said all that they say by coming.
      }
    } catch (error) {
      // One bad packet is as good as one lost packet.
      if (!(error instanceof Error && error.name === 'SrtError')) this.#close(`a packet failed: ${messageOf(error)}`);
    }
  }

  #receiveAck({ content, info }: ControlPacket, now: Micros): void {
    const ack = readAck(content);
    const before = this.#sending.first;
    this.#sending.acknowledge(ack.next);
    if (this.#sending.first !== before) this.#lastProgress = now;
    if (ack.window !== undefined) this.#peerWindow = Math.max(LEAST_WINDOW, Math.min(ack.window, WINDOW));
    if (ack.rtt === undefined) return;
    if (ack.rttVariance !== undefined && this.#counts.pktRecv === 0) this.#rtt.adopt(ack.rtt, ack.rttVariance);
    this.#control(CONTROL.ackAck, info, NO_CONTENT, now);
  }

  #receiveNak(ranges: readonly LossRange[], now: Micros): void {
    for (const range of ranges) {
      const gone = this.#sending.goneOf(range);
      if (gone !== undefined) this.#control(CONTROL.dropRequest, 0, writeDropRequest(gone), now);
      const length = Math.min(sequenceDistance(range.first, range.last) + 1, WINDOW);
      for (let at = 0; at < length; at++) this.#sendAgain(sequenceAdd(range.first, at), now, this.#rtt.mean / 2);
    }
  }

  #sendAgain(number: SequenceNumber, now: Micros, notBefore: number): void {
    const datagram = this.#sending.again(number, now, notBefore);
    if (datagram === undefined) return;
    this.#counts.pktSndLoss += 1;
    this.#counts.pktRetrans += 1;
    markRetransmitted(datagram);
    this.#emit(datagram, now);
  }

  #receiveAckAck({ info, timestamp }: ControlPacket, now: Micros): void {
    const sentAt = this.#ackTimes.get(info);
    if (sentAt === undefined) return;
    for (const number of this.#ackTimes.keys()) if (number <= info) this.#ackTimes.delete(number);
    this.#rtt.sample(now - sentAt);
    this.#clock.observe(timestamp, now, this.#rtt.mean);
    this.#peerHasAck = true;
  }

  #receiveKeyMessage({ subtype, content }: ControlPacket, now: Micros): void {
    if (subtype === KM_RESPONSE) {
      if (content.length > 4) this.#keyToldAt = undefined;
      return;
    }
    if (subtype !== KM_REQUEST) return;
    const { receiveKeys } = this.#terms;
    const isTaken = receiveKeys?.take(content) ?? false;
    const state = Buffer.alloc(4);
    state.writeUInt32BE(receiveKeys === undefined ? KM_STATE.noSecret : KM_STATE.badSecret);
    this.#control(CONTROL.userDefined, 0, isTaken ? content : state, now, KM_RESPONSE);
  }

  #announceKey(now: Micros): void {
    const announcement = this.#terms.sendKeys?.announcement;
    if (announcement === undefined) return;
    this.#keyToldAt = now;
    this.#control(CONTROL.userDefined, 0, announcement, now, KM_REQUEST);
  }

  #deliver(now: Micros): void {
    for (;;) {
      const payload = this.#receiving.take(now);
      if (payload !== undefined) {
        if (payload.length > 0) this.#output.payload(payload);
        if (this.#isClosed) return;
        continue;
      }
      const skipped = this.#terms.tooLateDrop ? this.#receiving.skipTooLate(now) : 0;
      if (skipped === 0) break;
      this.#counts.pktRcvDrop += skipped;
    }
    if (this.#isEnding && this.#receiving.isEmpty) this.#close('closed by the peer');
  }

  /** A full ACK, §4.8.1; again only where the peer hasn't said that it has the last one. */
  #acknowledge(now: Micros): void {
    const next = this.#receiving.firstMissing;
    if (next === this.#acked && this.#peerHasAck) return;
    if (next === this.#acked && this.#ackTimes.size > 0) {
      const [last = 0] = [...this.#ackTimes.values()].slice(-1);
      if (now - last < this.#rtt.timeout) return;
    }
    this.#acked = next;
    this.#peerHasAck = false;
    this.#ackNumber = (this.#ackNumber + 1) >>> 0 || 1;
    this.#ackTimes.set(this.#ackNumber, now);
    const [oldest] = this.#ackTimes.keys();
    if (this.#ackTimes.size > ACKS_REMEMBERED && oldest !== undefined) this.#ackTimes.delete(oldest);
    const seconds = Math.max(1, now - this.#startedAt) / 1_000_000;
    const content = writeAck({
      next,
      rtt: this.#rtt.mean,
      rttVariance: this.#rtt.variance,
      window: this.#receiving.room,
      packetRate: this.#counts.pktRecv / seconds,
      linkCapacity: 1000,
      byteRate: this.#counts.byteRecv / seconds,
    });
    this.#control(CONTROL.ack, this.#ackNumber, content, now);
  }

  #reportLoss(ranges: readonly LossRange[], now: Micros): void {
    if (ranges.length === 0) return;
    const content = writeNak(ranges, this.#terms.maxDatagram - HEADER_BYTES);
    this.#control(CONTROL.nak, 0, content, now);
  }

  #dropTooLate(now: Micros, latencyMs: number): void {
    if (!this.#terms.tooLateDrop) return;
    const oldest = now - Math.max(SEND_DROP_LEAST, latencyMs * 1250) - 2 * ACK_INTERVAL;
    this.#counts.pktSndDrop += this.#sending.dropOlderThan(oldest);
  }

  /** The last packets of a burst leave no gap that the peer could see: without news of them, they go out again. */
  #repeatTail(now: Micros): void {
    const { oldestSentAt } = this.#sending;
    if (oldestSentAt === undefined) return;
    const patience = this.#rtt.timeout + 2 * ACK_INTERVAL;
    if (now - this.#lastProgress < patience || now - oldestSentAt < patience) return;
    const length = this.#sending.underWay;
    for (let at = 0; at < length; at++) this.#sendAgain(sequenceAdd(this.#sending.first, at), now, patience);
  }

  #control(type: number, info: number, content: Buffer, now: Micros, subtype = 0): void {
    const { peerId: destination } = this.#terms;
    this.#emit(writeControl({ type, subtype, info, timestamp: this.#timestamp(now), destination, content }), now);
  }

  #emit(datagram: Buffer, now: Micros): void {
    this.#lastSent = now;
    this.#output.datagram(datagram);
  }

  #timestamp(now: Micros): Timestamp {
    return timestampOf(micros(now - this.#startedAt));
  }

  #close(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#output.closed(reason);
  }
}

const EMPTY = Buffer.alloc(0);

/** A header as it was the first time: what is authenticated must not change when a packet is sent again. */
function firstSent(header: Buffer): Buffer {
  const first = Buffer.from(header);
  first.writeUInt8(first.readUInt8(4) & ~0x04, 4);
  return first;
}
