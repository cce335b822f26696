import type { LossRange } from '../wire/nak.js';
import { type SequenceNumber, sequenceAdd, sequenceDistance } from '../wire/sequence.js';
import type { Micros } from '../wire/timestamp.js';
import { WINDOW } from './receive-buffer.js';

const MASK = WINDOW - 1;

/** A data packet in two pieces, so that what many connections send is in memory once. */
export interface OutgoingPacket {
  readonly number: SequenceNumber;
  readonly head: Buffer;
  readonly body: Buffer;
}

/** Packets that wait to be sent, and behind them those that have been and are not acknowledged, by their numbers. */
export class SendBuffer {
  readonly #packets = new Array<OutgoingPacket | undefined>(WINDOW);
  readonly #madeAt = new Float64Array(WINDOW);
  /** 0 before the first time. */
  readonly #lastSentAt = new Float64Array(WINDOW);
  readonly #isAgain = new Uint8Array(WINDOW);
  #first: SequenceNumber;
  #unsent: SequenceNumber;
  #next: SequenceNumber;

  constructor(first: SequenceNumber) {
    this.#first = first;
    this.#unsent = first;
    this.#next = first;
  }

  /** The number of the next packet. */
  get next(): SequenceNumber {
    return this.#next;
  }

  /** The oldest that has not been acknowledged. */
  get first(): SequenceNumber {
    return this.#first;
  }

  /** Packets that are kept. */
  get size(): number {
    return sequenceDistance(this.#first, this.#next);
  }

  /** Packets that have been sent and not been acknowledged. */
  get underWay(): number {
    return sequenceDistance(this.#first, this.#unsent);
  }

  /** Packets that have not been sent yet. */
  get waiting(): number {
    return sequenceDistance(this.#unsent, this.#next);
  }

  /** How long ago the oldest was made that has not been acknowledged. */
  age(now: Micros): number {
    return this.#first === this.#next ? 0 : now - (this.#madeAt[this.#first & MASK] ?? 0);
  }

  /** When the oldest went out last; undefined where none is under way. */
  get oldestSentAt(): number | undefined {
    return this.#first === this.#unsent ? undefined : this.#lastSentAt[this.#first & MASK];
  }

  /** Adds the packet that has the next number. There must be room: `size` below the window. */
  push(packet: OutgoingPacket, now: Micros): void {
    const place = this.#next & MASK;
    this.#packets[place] = packet;
    this.#madeAt[place] = now;
    this.#isAgain[place] = 0;
    this.#next = sequenceAdd(this.#next, 1);
  }

  /** The next packet that waits, without taking it. */
  peek(): OutgoingPacket | undefined {
    return this.#unsent === this.#next ? undefined : this.#packets[this.#unsent & MASK];
  }

  /** The next packet that waits; it counts as sent. */
  take(now: Micros): OutgoingPacket | undefined {
    const packet = this.peek();
    if (packet === undefined) return undefined;
    this.#lastSentAt[this.#unsent & MASK] = now;
    this.#unsent = sequenceAdd(this.#unsent, 1);
    return packet;
  }

  /** Everything before a number has arrived. A number that was never sent is ignored. */
  acknowledge(next: SequenceNumber): void {
    if (sequenceDistance(this.#first, next) <= 0 || sequenceDistance(next, this.#unsent) < 0) return;
    while (this.#first !== next) this.#forgetFirst();
  }

  /**
   * A packet that is to be sent once more.
   *
   * @param notBefore since it was last sent again: the news that it is missing may be older than that
   * @returns undefined where it is gone, was never sent, or is on its way again already
   */
  again(number: SequenceNumber, now: Micros, notBefore: number): OutgoingPacket | undefined {
    if (sequenceDistance(this.#first, number) < 0 || sequenceDistance(number, this.#unsent) <= 0) return undefined;
    const place = number & MASK;
    if (this.#isAgain[place] === 1 && now - (this.#lastSentAt[place] ?? 0) < notBefore) return undefined;
    this.#isAgain[place] = 1;
    this.#lastSentAt[place] = now;
    return this.#packets[place];
  }

  /** What of a range was given up. */
  goneOf({ first, last }: LossRange): LossRange | undefined {
    if (sequenceDistance(first, this.#first) <= 0) return undefined;
    const beforeFirst = sequenceAdd(this.#first, -1);
    return { first, last: sequenceDistance(last, beforeFirst) < 0 ? beforeFirst : last };
  }

  /** Gives up what is too old to arrive in time, §4.6, whether it was sent or not. @returns how many */
  dropOlderThan(time: number): number {
    let dropped = 0;
    while (this.#first !== this.#next && (this.#madeAt[this.#first & MASK] ?? 0) < time) {
      this.#forgetFirst();
      dropped += 1;
    }
    return dropped;
  }

  #forgetFirst(): void {
    this.#packets[this.#first & MASK] = undefined;
    if (this.#first === this.#unsent) this.#unsent = sequenceAdd(this.#unsent, 1);
    this.#first = sequenceAdd(this.#first, 1);
  }
}
