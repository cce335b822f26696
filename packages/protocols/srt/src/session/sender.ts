import { writeDropRequest } from '../wire/drop-request.js';
import type { LossRange } from '../wire/nak.js';
import {
  CONTROL,
  HEADER_BYTES,
  KEY_BITS,
  type KeySlot,
  markRetransmitted,
  WHOLE_MESSAGE,
  writeDataHeader,
} from '../wire/packet.js';
import { type SequenceNumber, sequenceAdd, sequenceDistance } from '../wire/sequence.js';
import type { Micros, Timestamp } from '../wire/timestamp.js';
import type { ConnectionTerms } from './connection.js';
import { type ControlWriter, KM_REQUEST } from './control-writer.js';
import { FecSender } from './fec-sender.js';
import { Pacer } from './pacer.js';
import { WINDOW } from './receive-buffer.js';
import type { RoundTripTime } from './rtt.js';
import { type OutgoingPacket, SendBuffer } from './send-buffer.js';

const KEY_REPEAT_INTERVAL = 1_000_000;
/** What is older than its latency and this is not sent any more, §4.6. */
const SEND_DROP_LEAST = 1_000_000;
/** A peer that says it has no room would otherwise never be asked again. */
const LEAST_WINDOW = 16;
/** The part of the peer's latency in which a burst has to be out. */
const SPREAD = 0.25;
const SPREAD_LIMITS = { least: 10_000, most: 250_000 };
const MESSAGE_NUMBERS = 0x03ff_ffff;

export interface SenderOptions {
  readonly terms: ConnectionTerms;
  readonly control: ControlWriter;
  readonly rtt: RoundTripTime;
  readonly timestampAt: (now: Micros) => Timestamp;
  /** A data packet, to the peer. */
  readonly datagram: (head: Buffer, body: Buffer, now: Micros) => void;
  readonly now: Micros;
}

/** The half of a connection that sends: keeps what is under way, says when what goes, and sends again what got lost. */
export class Sender {
  readonly counts = {
    pktSent: 0,
    pktSndLoss: 0,
    pktRetrans: 0,
    pktSndDrop: 0,
    pktSndFilterExtra: 0,
    byteSent: 0,
  };
  readonly #options: SenderOptions;
  readonly #buffer: SendBuffer;
  readonly #pacer: Pacer;
  readonly #fec: FecSender | undefined;
  #lastProgress: Micros;
  /** When a new packet was sent last. */
  #lastStart: Micros;
  #messageNumber = 1;
  #peerWindow: number;
  #keyToldAt: number | undefined;

  constructor(options: SenderOptions) {
    this.#options = options;
    const { terms, now } = options;
    this.#buffer = new SendBuffer(terms.initialSequence);
    const spread = Math.min(SPREAD_LIMITS.most, Math.max(SPREAD_LIMITS.least, terms.sendLatency * 1000 * SPREAD));
    this.#pacer = new Pacer({ spread, maxBandwidth: terms.maxBandwidth, now });
    this.#fec = terms.filter && new FecSender(terms.filter, terms.initialSequence);
    this.#peerWindow = Math.min(terms.flowWindow, WINDOW);
    this.#lastProgress = now;
    this.#lastStart = now;
  }

  /** How long ago the oldest was made that the peer has not acknowledged, microseconds. */
  age(now: Micros): number {
    return this.#buffer.age(now);
  }

  /** @returns false where so much is under way that it was dropped */
  send(payload: Buffer, now: Micros): boolean {
    if (!this.#hasRoom() && !this.#makeRoom(now)) return false;
    const { sendKeys, peerId } = this.#options.terms;
    if (sendKeys?.count() === true) this.announceKey(now);
    const number = this.#buffer.next;
    const key: KeySlot = sendKeys?.slot ?? 'none';
    const head = Buffer.allocUnsafe(HEADER_BYTES);
    writeDataHeader(head, {
      sequence: number,
      boundary: WHOLE_MESSAGE,
      inOrder: false,
      key,
      retransmitted: false,
      messageNumber: this.#messageNumber,
      timestamp: this.#options.timestampAt(now),
      destination: peerId,
    });
    this.#messageNumber = (this.#messageNumber + 1) & MESSAGE_NUMBERS || 1;
    const body = sendKeys === undefined ? payload : sendKeys.encrypt(number, payload, head);
    this.#buffer.push({ number, head, body }, now);
    this.#pacer.arrived(this.#buffer.waiting, now);
    this.#start(now);
    return true;
  }

  /** Everything before a number has arrived, §3.2.4. @param window packets that the peer has room for */
  acknowledged(next: SequenceNumber, window: number | undefined, now: Micros): void {
    const before = this.#buffer.first;
    this.#buffer.acknowledge(next);
    if (this.#buffer.first !== before) this.#lastProgress = now;
    if (window !== undefined) this.#peerWindow = Math.max(LEAST_WINDOW, Math.min(window, WINDOW));
  }

  /** The peer misses these, §3.2.5. */
  missed(ranges: readonly LossRange[], now: Micros): void {
    for (const range of ranges) {
      const gone = this.#buffer.goneOf(range);
      if (gone !== undefined) this.#options.control.write(CONTROL.dropRequest, 0, writeDropRequest(gone), now);
      const length = Math.min(sequenceDistance(range.first, range.last) + 1, WINDOW);
      for (let at = 0; at < length; at++)
        this.#sendAgain(sequenceAdd(range.first, at), now, this.#options.rtt.mean / 2);
    }
  }

  /** The peer has the key that was announced. */
  keyTaken(): void {
    this.#keyToldAt = undefined;
  }

  announceKey(now: Micros): void {
    const announcement = this.#options.terms.sendKeys?.announcement;
    if (announcement === undefined) return;
    this.#keyToldAt = now;
    this.#options.control.write(CONTROL.userDefined, 0, announcement, now, KM_REQUEST);
  }

  tick(now: Micros): void {
    this.#dropTooLate(now);
    this.#start(now);
    this.#repeatTail(now);
    if (this.#keyToldAt !== undefined && now - this.#keyToldAt > KEY_REPEAT_INTERVAL) this.announceKey(now);
  }

  /** Sends all that waits, whether it is its turn or not: nothing can be sent later. */
  flush(now: Micros): void {
    for (let packet = this.#buffer.take(now); packet !== undefined; packet = this.#buffer.take(now)) {
      this.#options.datagram(packet.head, packet.body, now);
    }
  }

  /** Sends what may go now of what waits. */
  #start(now: Micros): void {
    const { terms, datagram } = this.#options;
    while (this.#buffer.peek() !== undefined) {
      if (!this.#pacer.mayStart(now)) return;
      if (this.#buffer.underWay === 0) this.#lastProgress = now;
      const packet = this.#buffer.take(now);
      if (packet === undefined) return;
      this.#lastStart = now;
      const { head, body } = packet;
      this.counts.pktSent += 1;
      this.counts.byteSent += body.length;
      this.#pacer.sent(HEADER_BYTES + body.length, true);
      datagram(head, body, now);
      if (this.#fec !== undefined) this.#sendRepairs(this.#fec, packet, terms, now);
    }
    this.#pacer.emptied();
  }

  #sendRepairs(fec: FecSender, { number, head, body }: OutgoingPacket, terms: ConnectionTerms, now: Micros): void {
    const key: KeySlot = terms.sendKeys?.slot ?? 'none';
    const clipped = { flags: KEY_BITS[key], timestamp: head.readUInt32BE(8), payload: body };
    for (const { timestamp, content } of fec.sent(number, clipped)) {
      const repairHead = Buffer.allocUnsafe(HEADER_BYTES);
      writeDataHeader(repairHead, {
        sequence: number,
        boundary: WHOLE_MESSAGE,
        inOrder: false,
        key,
        retransmitted: false,
        messageNumber: 0,
        timestamp: timestamp as Timestamp,
        destination: terms.peerId,
      });
      this.counts.pktSndFilterExtra += 1;
      this.#pacer.sent(HEADER_BYTES + content.length, false);
      this.#options.datagram(repairHead, content, now);
    }
  }

  #sendAgain(number: SequenceNumber, now: Micros, notBefore: number): void {
    if (!this.#pacer.mayRepeat(now)) return;
    const packet = this.#buffer.again(number, now, notBefore);
    if (packet === undefined) return;
    const { head, body } = packet;
    this.counts.pktSndLoss += 1;
    this.counts.pktRetrans += 1;
    this.#pacer.sent(HEADER_BYTES + body.length, false);
    markRetransmitted(head);
    this.#options.datagram(head, body, now);
  }

  #hasRoom(): boolean {
    return this.#buffer.size < Math.min(this.#peerWindow + this.#buffer.waiting, WINDOW);
  }

  #makeRoom(now: Micros): boolean {
    this.#dropTooLate(now);
    if (this.#hasRoom()) return true;
    this.counts.pktSndDrop += 1;
    return false;
  }

  #dropTooLate(now: Micros): void {
    const { tooLateDrop, sendLatency } = this.#options.terms;
    if (!tooLateDrop) return;
    const oldest = now - Math.max(SEND_DROP_LEAST, sendLatency * 1250) - 20_000;
    this.counts.pktSndDrop += this.#buffer.dropOlderThan(oldest);
  }

  /** The last packets of a burst leave no gap that the peer could see: without news of them, they go out again. */
  #repeatTail(now: Micros): void {
    const { oldestSentAt } = this.#buffer;
    if (oldestSentAt === undefined || this.#options.terms.filter?.arq === 'never') return;
    const patience = this.#options.rtt.timeout + 20_000;
    const longAgo = now - patience;
    if (this.#lastProgress > longAgo || oldestSentAt > longAgo) return;
    // What a filter may repair is asked for late.
    // What a filter may repair is asked for late.
    if (this.#options.terms.filter !== undefined && this.#lastStart > longAgo) return;
    const length = this.#buffer.underWay;
    for (let at = 0; at < length; at++) this.#sendAgain(sequenceAdd(this.#buffer.first, at), now, patience);
  }
}
