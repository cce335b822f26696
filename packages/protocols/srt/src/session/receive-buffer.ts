import type { LossRange } from '../wire/nak.js';
import { type SequenceNumber, sequence, sequenceAdd, sequenceDistance } from '../wire/sequence.js';
import type { Micros } from '../wire/timestamp.js';

/** Packets that may be under way or wait for their time: a power of two, so that a number's place is its low bits. */
export const WINDOW = 8192;
const MASK = WINDOW - 1;

/** What became of a packet that came. */
export type Arrival =
  /** It is the next one. */
  | { readonly kind: 'stored' }
  /** It was missing before one that had come. */
  | { readonly kind: 'filled' }
  /** It leaves a gap behind it. */
  | { readonly kind: 'gap'; readonly missing: LossRange }
  /** It is there already, or its time is over. */
  | { readonly kind: 'late' }
  /** It is further ahead than the window reaches. */
  | { readonly kind: 'beyond' };

const STORED: Arrival = { kind: 'stored' };
const FILLED: Arrival = { kind: 'filled' };
const LATE: Arrival = { kind: 'late' };
const BEYOND: Arrival = { kind: 'beyond' };

/** Packets in their order, from the next to be delivered to the newest; it knows what is missing between. */
export class ReceiveBuffer {
  readonly #payloads = new Array<Buffer | undefined>(WINDOW);
  readonly #times = new Float64Array(WINDOW);
  /** The next to be delivered. */
  #first: SequenceNumber;
  /** The first that is missing. */
  #missing: SequenceNumber;
  /** Behind the newest. */
  #end: SequenceNumber;
  #count = 0;

  constructor(first: SequenceNumber) {
    this.#first = first;
    this.#missing = first;
    this.#end = first;
  }

  /** All packets before this one have come, or are given up. */
  get firstMissing(): SequenceNumber {
    return this.#missing;
  }

  /** Packets that there is room for. */
  get room(): number {
    return WINDOW - this.#count;
  }

  /** Whether nothing waits for its time. */
  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** How long the packets that wait take to play, microseconds. */
  get span(): number {
    if (this.#count === 0) return 0;
    const last = this.#times[(this.#end - 1) & MASK] ?? 0;
    const next = this.#nextPresent();
    return next === undefined ? 0 : Math.max(0, last - (this.#times[next & MASK] ?? 0));
  }

  add(number: SequenceNumber, payload: Buffer, deliverAt: Micros): Arrival {
    const offset = sequenceDistance(this.#first, number);
    const place = number & MASK;
    if (offset < 0) return LATE;
    if (offset >= WINDOW) return BEYOND;
    if (this.#payloads[place] !== undefined) return LATE;
    this.#payloads[place] = payload;
    this.#times[place] = deliverAt;
    this.#count += 1;
    const ahead = sequenceDistance(this.#end, number);
    const gapFrom = this.#end;
    if (ahead >= 0) this.#end = sequenceAdd(number, 1);
    this.#advanceMissing();
    if (ahead > 0) return { kind: 'gap', missing: { first: gapFrom, last: sequenceAdd(number, -1) } };
    return ahead === 0 ? STORED : FILLED;
  }

  /** Gaps from the oldest on. */
  gaps(): LossRange[] {
    return this.#gapsFrom(this.#missing, sequenceDistance(this.#missing, this.#end));
  }

  /** What of a range is still missing. */
  gapsIn({ first, last }: LossRange): LossRange[] {
    const from = sequenceDistance(first, this.#missing) > 0 ? this.#missing : first;
    return this.#gapsFrom(from, Math.min(WINDOW, sequenceDistance(from, last) + 1));
  }

  #gapsFrom(from: SequenceNumber, length: number): LossRange[] {
    const gaps: LossRange[] = [];
    let open: SequenceNumber | undefined;
    for (let at = 0; at < length; at++) {
      const number = sequenceAdd(from, at);
      const isThere = this.#payloads[number & MASK] !== undefined;
      if (isThere && open !== undefined) {
        gaps.push({ first: open, last: sequenceAdd(number, -1) });
        open = undefined;
      } else if (!isThere) open ??= number;
    }
    if (open !== undefined) gaps.push({ first: open, last: sequenceAdd(from, length - 1) });
    return gaps;
  }

  /** Takes the next packet if its time has come. */
  take(now: Micros): Buffer | undefined {
    const place = this.#first & MASK;
    const payload = this.#payloads[place];
    if (payload === undefined || (this.#times[place] ?? 0) > now) return undefined;
    this.#payloads[place] = undefined;
    this.#count -= 1;
    this.#first = sequenceAdd(this.#first, 1);
    return payload;
  }

  /** Gives up packets that are missing before one whose time has come, §4.6. @returns how many */
  skipTooLate(now: Micros): number {
    const next = this.#nextPresent();
    if (next === undefined || next === this.#first || (this.#times[next & MASK] ?? 0) > now) return 0;
    return this.#skipTo(next);
  }

  /**
   * The sender has given them up, or says so because it had word of them already, §3.2.9: what is here stays. A gap
   * further on is passed over when its time comes.
   *
   * @returns how many were missing
   */
  drop({ first, last }: LossRange): number {
    if (sequenceDistance(first, this.#first) < 0 || sequenceDistance(this.#first, last) >= WINDOW) return 0;
    const behind = sequenceAdd(last, 1);
    let target = this.#first;
    while (sequenceDistance(target, behind) > 0 && this.#payloads[target & MASK] === undefined) {
      target = sequenceAdd(target, 1);
    }
    if (sequenceDistance(this.#end, target) > 0) this.#end = target;
    return this.#skipTo(target);
  }

  #skipTo(target: SequenceNumber): number {
    const skipped = sequenceDistance(this.#first, target);
    let lost = 0;
    for (let at = 0; at < skipped; at++) {
      const place = (this.#first + at) & MASK;
      if (this.#payloads[place] === undefined) {
        lost += 1;
        continue;
      }
      this.#payloads[place] = undefined;
      this.#count -= 1;
    }
    this.#first = sequence(target);
    if (sequenceDistance(this.#missing, this.#first) > 0) this.#missing = this.#first;
    this.#advanceMissing();
    return lost;
  }

  #advanceMissing(): void {
    while (this.#missing !== this.#end && this.#payloads[this.#missing & MASK] !== undefined) {
      this.#missing = sequenceAdd(this.#missing, 1);
    }
  }

  #nextPresent(): SequenceNumber | undefined {
    if (this.#count === 0) return undefined;
    let number = this.#first;
    while (number !== this.#end && this.#payloads[number & MASK] === undefined) number = sequenceAdd(number, 1);
    return number === this.#end ? undefined : number;
  }
}
