import { Unwrapper } from '../wire/rtp.js';
import { fitsDelta, TICK_MS, TICKS_PER_REFERENCE, type TransportFeedback } from '../wire/transport-feedback.js';

/** Packets that are remembered until they are told of: at 20 Mbit/s, a second. */
const MOST_PACKETS = 2048;
const FEEDBACK_MS = 100;
/** So many are told of sooner, so that a fast sender needn't wait. */
const MANY = 100;
/** Of one feedback packet: it fits into a datagram, even with arrival times of two bytes. */
const MOST_IN_ONE = 400;

/** Keeps when packets came, by their transport-wide numbers, until the sender is told. */
export class ArrivalLog {
  readonly #numbers = new Unwrapper(16);
  /** In ticks; NaN for what didn't come. */
  readonly #arrivals = new Float64Array(MOST_PACKETS).fill(Number.NaN);
  /** The first that wasn't told of. */
  #next: number | undefined;
  #highest = 0;
  #toldAt = Number.NEGATIVE_INFINITY;
  #count = 0;

  /** @param sequence 16 bits that wrap @param now ms of a clock that only goes forward */
  arrived(sequence: number, now: number): void {
    const number = this.#numbers.unwrap(sequence);
    if (this.#next === undefined || Math.abs(number - this.#highest) >= MOST_PACKETS) this.#begin(number);
    for (let gap = this.#highest + 1; gap < number; gap++) this.#arrivals[slotOf(gap)] = Number.NaN;
    this.#highest = Math.max(this.#highest, number);
    // One that comes after it was told of as missing is told of again.
    const oldest = this.#highest - MOST_PACKETS + 1;
    this.#next = Math.max(oldest, Math.min(this.#next ?? number, number));
    this.#arrivals[slotOf(number)] = Math.round(now / TICK_MS);
  }

  isDue(now: number): boolean {
    const waiting = this.#next === undefined ? 0 : this.#highest + 1 - this.#next;
    return waiting >= MANY || (waiting > 0 && now - this.#toldAt >= FEEDBACK_MS);
  }

  /** What the sender is to be told now: of everything since the last time. */
  take(now: number): TransportFeedback[] {
    const packets: TransportFeedback[] = [];
    if (this.#next === undefined) return packets;
    this.#toldAt = now;
    for (let at = this.#next; at <= this.#highest; ) {
      const packet = this.#packetFrom(at);
      packets.push(packet);
      at += packet.arrivals.length;
    }
    this.#next = this.#highest + 1;
    return packets;
  }

  #begin(number: number): void {
    this.#arrivals.fill(Number.NaN);
    this.#next = number;
    this.#highest = number;
  }

  /** As many as go into one packet: it ends in front of an arrival that is too far from the one before. */
  #packetFrom(base: number): TransportFeedback {
    let reference: number | undefined;
    let before = 0;
    const arrivals: (number | undefined)[] = [];
    for (let number = base; number <= this.#highest && arrivals.length < MOST_IN_ONE; number++) {
      const ticks = this.#arrivals[slotOf(number)] ?? Number.NaN;
      if (Number.isNaN(ticks)) {
        arrivals.push(undefined);
        continue;
      }
      reference ??= Math.floor(ticks / TICKS_PER_REFERENCE);
      const arrival = ticks - reference * TICKS_PER_REFERENCE;
      if (!fitsDelta(arrival - before)) break;
      arrivals.push(arrival);
      before = arrival;
    }
    const count = this.#count;
    this.#count = (count + 1) & 0xff;
    return { count, base: base & 0xffff, referenceTime: (reference ?? 0) & 0xff_ffff, arrivals };
  }
}

/** Never negative, as numbers are where the first ones come out of order over the wrap. */
const slotOf = (number: number): number => ((number % MOST_PACKETS) + MOST_PACKETS) % MOST_PACKETS;
