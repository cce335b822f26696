import { writeAck } from '../wire/ack.js';
import { KM_STATE } from '../wire/key-material.js';
import { type LossRange, writeNak } from '../wire/nak.js';
import { CONTROL, type ControlPacket, type DataPacket, HEADER_BYTES, KEY_BITS, keySlotOf } from '../wire/packet.js';
import { type SequenceNumber, sequenceAdd, sequenceDistance } from '../wire/sequence.js';
import type { Micros, Timestamp } from '../wire/timestamp.js';
import type { ConnectionTerms } from './connection.js';
import { type ControlWriter, KM_RESPONSE } from './control-writer.js';
import { DeliveryClock } from './delivery-clock.js';
import { FecReceiver, type RepairedPacket } from './fec-receiver.js';
import { ReceiveBuffer } from './receive-buffer.js';
import { ReorderWatch } from './reorder-watch.js';
import type { RoundTripTime } from './rtt.js';

const ACK_INTERVAL = 10_000;
/** At high rates, so many packets are acknowledged without waiting for the interval to be over, §4.8.1. */
const LIGHT_ACK_PACKETS = 64;
/** Reports get lost as well: several go out in the time of a round trip, at each second tick or more seldom. */
const NAK_LEAST_INTERVAL = 15_000;
const ACKS_REMEMBERED = 64;
const NOTHING = Buffer.alloc(0);

export interface ReceiverOptions {
  readonly terms: ConnectionTerms;
  readonly control: ControlWriter;
  readonly rtt: RoundTripTime;
  /** In order and in time. */
  readonly payload: (bytes: Buffer) => void;
  readonly startedAt: Micros;
  readonly now: Micros;
}

/** The half of a connection that receives: puts packets in order, asks for lost ones, and delivers them in time. */
export class Receiver {
  readonly counts = {
    pktRecv: 0,
    pktRcvLoss: 0,
    pktRcvRetrans: 0,
    pktRcvDrop: 0,
    pktRcvBelated: 0,
    pktRcvUndecrypt: 0,
    pktRcvFilterExtra: 0,
    pktRcvFilterSupply: 0,
    byteRecv: 0,
  };
  readonly #options: ReceiverOptions;
  readonly #buffer: ReceiveBuffer;
  readonly #clock: DeliveryClock;
  readonly #reordering = new ReorderWatch();
  readonly #fec: FecReceiver | undefined;
  readonly #ackTimes = new Map<number, Micros>();
  #ackNumber = 0;
  #acked: SequenceNumber;
  #sinceAck = 0;
  #peerHasAck = true;
  #nextAck: number;
  #nextNak: number;

  constructor(options: ReceiverOptions) {
    this.#options = options;
    const { terms, now } = options;
    const latency = terms.receiveLatency * 1000;
    this.#clock = new DeliveryClock({ now, timestamp: terms.peerTimestamp, latency });
    this.#buffer = new ReceiveBuffer(terms.peerInitialSequence);
    this.#fec = terms.filter && new FecReceiver(terms.filter, terms.peerInitialSequence);
    this.#acked = terms.peerInitialSequence;
    this.#nextAck = now + ACK_INTERVAL;
    this.#nextNak = now + NAK_LEAST_INTERVAL;
  }

  /** Whether nothing waits for its time. */
  get isEmpty(): boolean {
    return this.#buffer.isEmpty;
  }

  /** How long what waits takes to play, microseconds. */
  get span(): number {
    return this.#buffer.span;
  }

  /** Any packet tells what time it is at the peer's. */
  heard(timestamp: Timestamp): void {
    this.#clock.heard(timestamp);
  }

  /** @param header as it came, 16 bytes and more */
  receive(packet: DataPacket, header: Buffer, now: Micros): void {
    const { sequence, payload, timestamp, key, retransmitted, messageNumber } = packet;
    const { counts } = this;
    if (messageNumber === 0 && this.#fec !== undefined) {
      counts.pktRcvFilterExtra += 1;
      this.#repair(this.#fec.repair(sequence, timestamp, payload), now);
      return;
    }
    counts.pktRecv += 1;
    counts.byteRecv += payload.length;
    if (retransmitted) counts.pktRcvRetrans += 1;
    const plain = key === 'none' ? payload : this.#decrypt(packet, retransmitted ? firstSent(header) : header);
    if (!this.#add(sequence, plain, timestamp, retransmitted, now)) return;
    this.#sinceAck += 1;
    if (this.#sinceAck >= LIGHT_ACK_PACKETS) this.#acknowledgeLightly(now);
    if (this.#fec !== undefined) {
      this.#repair(this.#fec.received(sequence, { flags: KEY_BITS[key], timestamp, payload }), now);
    }
  }

  /** The sender has given up a range, §3.2.9. */
  drop(range: LossRange): void {
    this.counts.pktRcvDrop += this.#buffer.drop(range);
  }

  ackAck({ info, timestamp }: ControlPacket, now: Micros): void {
    const sentAt = this.#ackTimes.get(info);
    if (sentAt === undefined) return;
    for (const number of this.#ackTimes.keys()) if (number <= info) this.#ackTimes.delete(number);
    const { rtt } = this.#options;
    rtt.sample(now - sentAt);
    this.#clock.observe(timestamp, now, rtt.mean);
    this.#peerHasAck = true;
  }

  /** The peer announces a key, §6.1.6. @throws {SrtError} `malformed` */
  takeKey(content: Buffer, now: Micros): void {
    const { receiveKeys } = this.#options.terms;
    const isTaken = receiveKeys?.take(content) ?? false;
    const state = Buffer.alloc(4);
    state.writeUInt32BE(receiveKeys === undefined ? KM_STATE.noSecret : KM_STATE.badSecret);
    this.#options.control.write(CONTROL.userDefined, 0, isTaken ? content : state, now, KM_RESPONSE);
  }

  /** Delivers what is due, and passes over what would come too late, §4.6. */
  deliver(now: Micros): void {
    for (;;) {
      const payload = this.#buffer.take(now);
      if (payload !== undefined) {
        if (payload.length > 0) this.#options.payload(payload);
        continue;
      }
      const skipped = this.#options.terms.tooLateDrop ? this.#buffer.skipTooLate(now) : 0;
      if (skipped === 0) return;
      this.counts.pktRcvDrop += skipped;
    }
  }

  /** Reports what has come and what is missing. */
  tick(now: Micros): void {
    if (now >= this.#nextAck) {
      this.#nextAck = now + ACK_INTERVAL;
      this.#acknowledge(now);
    }
    if (this.#options.terms.periodicNak && now >= this.#nextNak) {
      this.#nextNak = now + Math.max(NAK_LEAST_INTERVAL, this.#options.rtt.mean / 4);
      this.#reportLoss(
        this.#buffer.gaps().filter(({ first }) => !this.#reordering.isWaitingFor(first)),
        now,
      );
    }
    for (const range of this.#reordering.due(now)) this.#reportLoss(this.#buffer.gapsIn(range), now);
  }

  /** @returns whether it is new and has a place */
  #add(number: SequenceNumber, payload: Buffer, timestamp: Timestamp, retransmitted: boolean, now: Micros): boolean {
    const { counts } = this;
    const arrival = this.#buffer.add(number, payload, this.#clock.deliveryTime(timestamp));
    switch (arrival.kind) {
      case 'gap': {
        const { first, last } = arrival.missing;
        counts.pktRcvLoss += sequenceDistance(first, last) + 1;
        if (this.#reordering.gap(arrival.missing, now)) this.#reportLoss([arrival.missing], now);
        return true;
      }
      case 'filled':
        this.#reordering.filled(number, retransmitted, now);
        return true;
      case 'late':
        counts.pktRcvBelated += 1;
        return false;
      case 'beyond':
        counts.pktRcvDrop += 1;
        return false;
      case 'stored':
        return true;
    }
  }

  /** Takes packets that were made anew, and what they in turn make possible. */
  #repair(repaired: readonly RepairedPacket[], now: Micros): void {
    for (const { number, flags, timestamp, payload } of repaired) {
      const key = keySlotOf(flags);
      if (key === undefined) continue;
      const plain = key === 'none' ? payload : this.#decrypt({ key, sequence: number, payload }, NOTHING);
      // Made anew, it says nothing of a line that reorders.
      if (!this.#add(number, plain, timestamp as Timestamp, true, now)) continue;
      this.counts.pktRcvFilterSupply += 1;
      this.#repair(this.#fec?.received(number, { flags, timestamp, payload }) ?? [], now);
    }
  }

  /** A packet that can't be read takes its place nonetheless: it is not lost, and asking for it again would not help. */
  #decrypt({ key, sequence, payload }: Pick<DataPacket, 'key' | 'sequence' | 'payload'>, header: Buffer): Buffer {
    const { receiveKeys } = this.#options.terms;
    const plain = key === 'none' ? payload : receiveKeys?.decrypt(key, sequence, payload, header);
    if (plain !== undefined) return plain;
    this.counts.pktRcvUndecrypt += 1;
    return NOTHING;
  }

  /** Tells no more than what is missing first: of many packets, before it is time for a full ACK. */
  #acknowledgeLightly(now: Micros): void {
    this.#sinceAck = 0;
    this.#options.control.write(CONTROL.ack, 0, writeAck({ next: this.#buffer.firstMissing }), now);
  }

  /** A full ACK, §4.8.1; again only where the peer hasn't said that it has the last one. */
  #acknowledge(now: Micros): void {
    const { rtt, startedAt, control } = this.#options;
    const next = this.#buffer.firstMissing;
    if (next === this.#acked) {
      if (this.#peerHasAck) return;
      if (this.#ackTimes.size > 0 && now - (this.#ackTimes.get(this.#ackNumber) ?? 0) < rtt.timeout) return;
    }
    this.#acked = next;
    this.#sinceAck = 0;
    this.#peerHasAck = false;
    this.#ackNumber = (this.#ackNumber + 1) >>> 0 || 1;
    this.#ackTimes.set(this.#ackNumber, now);
    const [oldest] = this.#ackTimes.keys();
    if (this.#ackTimes.size > ACKS_REMEMBERED && oldest !== undefined) this.#ackTimes.delete(oldest);
    const seconds = Math.max(1, now - startedAt) / 1_000_000;
    const content = writeAck({
      next,
      rtt: rtt.mean,
      rttVariance: rtt.variance,
      window: this.#buffer.room,
      packetRate: this.counts.pktRecv / seconds,
      linkCapacity: 1000,
      byteRate: this.counts.byteRecv / seconds,
    });
    control.write(CONTROL.ack, this.#ackNumber, content, now);
  }

  #reportLoss(missing: readonly LossRange[], now: Micros): void {
    const { terms, control } = this.#options;
    if (missing.length === 0 || terms.filter?.arq === 'never') return;
    const ranges = terms.filter?.arq === 'onreq' ? this.#beyondRepair(missing) : missing;
    if (ranges.length > 0) control.write(CONTROL.nak, 0, writeNak(ranges, terms.maxDatagram - HEADER_BYTES), now);
  }

  /** What of these packets the filter can't bring back any more. */
  #beyondRepair(missing: readonly LossRange[]): LossRange[] {
    const ranges: LossRange[] = [];
    for (const { first, last } of missing) {
      let open: SequenceNumber | undefined;
      const end = sequenceAdd(last, 1);
      for (let number = first; number !== end; number = sequenceAdd(number, 1)) {
        const isLost = this.#fec?.mayRepair(number) === false;
        if (isLost) open ??= number;
        else if (open !== undefined) {
          ranges.push({ first: open, last: sequenceAdd(number, -1) });
          open = undefined;
        }
      }
      if (open !== undefined) ranges.push({ first: open, last });
    }
    return ranges;
  }
}

/** A header as it was the first time: what is authenticated must not change when a packet is sent again. */
function firstSent(header: Buffer): Buffer {
  const first = Buffer.from(header.subarray(0, HEADER_BYTES));
  first.writeUInt8(first.readUInt8(4) & ~0x04, 4);
  return first;
}
