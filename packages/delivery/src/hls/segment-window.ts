import type { Micros, Millis } from '@sluice/media';
import type { OpenSegment, Segment } from './segment.js';

/** Where a playlist ends: at a part of the open segment, or before its first. */
export interface Position {
  readonly segment: number;
  readonly part: number;
}

export interface WindowOptions {
  /** Segments that are listed at least. */
  readonly listed: number;
  readonly target: Micros;
  readonly now: () => Millis;
}

const SECOND = 1_000_000;
/** RFC 8216 §6.2.2: a live playlist lasts three target durations at least. */
const LEAST_TARGETS = 3;

/** The segments of a live playlist: those that are listed, those that have just left, and the one that is being made. */
export class SegmentWindow {
  readonly #options: WindowOptions;
  readonly #segments: Segment[] = [];
  /** By segment number: when it left the playlist. */
  readonly #leftAt = new Map<number, Millis>();
  readonly #inits = new Map<number, Buffer>();
  #first = 0;
  #discontinuities = 0;
  #targetSeconds: number | undefined;
  #longestSeconds = 0;
  #open: OpenSegment | undefined;
  #next = 0;

  constructor(options: WindowOptions) {
    this.#options = options;
  }

  /** Whole seconds that no segment exceeds when rounded. It is the first segment that decides. RFC 8216 §4.3.3.1 */
  get targetSeconds(): number {
    return this.#targetSeconds ?? Math.max(1, Math.round(this.#options.target / SECOND));
  }

  get isEmpty(): boolean {
    return this.#segments.length === 0;
  }

  /** Oldest first. */
  get listed(): readonly Segment[] {
    return this.#segments.slice(this.#first);
  }

  /** How long they take to play, in seconds. */
  get seconds(): number {
    return this.listed.reduce((sum, { duration }) => sum + duration, 0) / SECOND;
  }

  get open(): OpenSegment | undefined {
    return this.#open;
  }

  /** Discontinuities that have left, RFC 8216 §4.3.3.3. */
  get discontinuities(): number {
    return this.#discontinuities;
  }

  /** What comes next. */
  get end(): Position {
    return { segment: this.#next, part: this.#open?.parts.length ?? 0 };
  }

  /** Whether a playlist has it, or what comes behind it. */
  has({ segment, part }: Position): boolean {
    const { end } = this;
    return end.segment > segment || (end.segment === segment && end.part > part);
  }

  addInit(number: number, bytes: Buffer): void {
    this.#inits.set(number, bytes);
  }

  init(number: number): Buffer | undefined {
    return this.#inits.get(number);
  }

  setOpen(segment: OpenSegment): void {
    this.#open = segment;
    this.#next = segment.number;
  }

  add(segment: Segment): void {
    this.#open = undefined;
    this.#next = segment.number + 1;
    this.#segments.push(segment);
    const seconds = Math.max(1, Math.round(segment.duration / SECOND));
    this.#targetSeconds = Math.max(this.targetSeconds, seconds);
    this.#removeOld();
    this.#longestSeconds = Math.max(this.#longestSeconds, this.seconds);
    this.#forgetOld();
  }

  find(number: number): Segment | OpenSegment | undefined {
    if (this.#open?.number === number) return this.#open;
    return this.#segments.find((segment) => segment.number === number);
  }

  /** Takes off the playlist what it does without, RFC 8216 §6.2.2. */
  #removeOld(): void {
    const least = LEAST_TARGETS * this.targetSeconds * SECOND;
    let seconds = this.listed.reduce((sum, { duration }) => sum + duration, 0);
    for (;;) {
      const oldest = this.#segments[this.#first];
      if (oldest === undefined || this.#segments.length - this.#first <= this.#options.listed) return;
      seconds -= oldest.duration;
      if (seconds < least) return;
      this.#first += 1;
      this.#leftAt.set(oldest.number, this.#options.now());
      if (oldest.discontinuity) this.#discontinuities += 1;
    }
  }

  /** A segment that has left stays for its own length and that of the longest playlist: RFC 8216 §6.2.2. */
  #forgetOld(): void {
    const now = this.#options.now();
    while (this.#first > 0) {
      const oldest = this.#segments[0];
      const leftAt = oldest && this.#leftAt.get(oldest.number);
      if (oldest === undefined || leftAt === undefined) return;
      if (now - leftAt <= oldest.duration / 1000 + this.#longestSeconds * 1000) return;
      this.#segments.shift();
      this.#first -= 1;
      this.#leftAt.delete(oldest.number);
    }
    const [oldest] = this.#segments;
    for (const number of this.#inits.keys()) {
      if (oldest?.init !== undefined && number < oldest.init) this.#inits.delete(number);
    }
  }
}

/** Of all listed segments: whether decoding can begin with each. */
export const areIndependent = (segments: readonly Segment[]): boolean =>
  segments.every(({ independent }) => independent);
