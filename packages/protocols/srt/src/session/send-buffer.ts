import type { LossRange } from '../wire/nak.js';
import { type SequenceNumber, sequenceAdd, sequenceDistance } from '../wire/sequence.js';
import type { Micros } from '../wire/timestamp.js';
import { WINDOW } from './receive-buffer.js';

const MASK = WINDOW - 1;

/** Datagrams that have been sent and not been acknowledged, by their numbers. */
export class SendBuffer {
  readonly #datagrams = new Array<Buffer | undefined>(WINDOW);
  readonly #sentAt = new Float64Array(WINDOW);
  readonly #lastSentAt = new Float64Array(WINDOW);
  #first: SequenceNumber;
  #next: SequenceNumber;

  constructor(first: SequenceNumber) {
    this.#first = first;
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

  get underWay(): number {
    return sequenceDistance(this.#first, this.#next);
  }

  /** Keeps a datagram that is being sent for the first time. There must be room: `underWay` below the window. */
  push(datagram: Buffer, now: Micros): void {
    const place = this.#next & MASK;
    this.#datagrams[place] = datagram;
    this.#sentAt[place] = now;
    this.#lastSentAt[place] = now;
    this.#next = sequenceAdd(this.#next, 1);
  }

  /** Everything before a number has arrived. A number that was never sent is ignored. */
  acknowledge(next: SequenceNumber): void {
    if (sequenceDistance(this.#first, next) <= 0 || sequenceDistance(next, this.#next) < 0) return;
    while (this.#first !== next) this.#forgetFirst();
  }

  /**
   * A datagram that is to be sent once more.
   *
   * @param notBefore since it was last sent again: the news that it is missing may be older than that
   * @returns undefined where it is gone, or is on its way again already
   */
  again(number: SequenceNumber, now: Micros, notBefore: number): Buffer | undefined {
    if (!this.has(number)) return undefined;
    const place = number & MASK;
    const lastSentAt = this.#lastSentAt[place] ?? 0;
    if (lastSentAt !== this.#sentAt[place] && now - lastSentAt < notBefore) return undefined;
    this.#lastSentAt[place] = now;
    return this.#datagrams[place];
  }

  has(number: SequenceNumber): boolean {
    return sequenceDistance(this.#first, number) >= 0 && sequenceDistance(number, this.#next) > 0;
  }

  /** What of a range was given up. */
  goneOf({ first, last }: LossRange): LossRange | undefined {
    if (sequenceDistance(first, this.#first) <= 0) return undefined;
    const beforeFirst = sequenceAdd(this.#first, -1);
    return { first, last: sequenceDistance(last, beforeFirst) < 0 ? beforeFirst : last };
  }

  /** Gives up what is too old to arrive in time, §4.6. @returns how many */
  dropOlderThan(time: number): number {
    let dropped = 0;
    while (this.#first !== this.#next && (this.#sentAt[this.#first & MASK] ?? 0) < time) {
      this.#forgetFirst();
      dropped += 1;
    }
    return dropped;
  }

  /** When the oldest went out last. */
  get oldestSentAt(): number | undefined {
    return this.#first === this.#next ? undefined : this.#lastSentAt[this.#first & MASK];
  }

  #forgetFirst(): void {
    this.#datagrams[this.#first & MASK] = undefined;
    this.#first = sequenceAdd(this.#first, 1);
  }
}
