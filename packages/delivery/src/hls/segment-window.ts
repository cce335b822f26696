import type { Micros, Millis } from '@sluice/media';
import type { SegmentFolder } from './disk/segment-disk.js';
import type { ListedSegment, OpenSegment, Segment } from './segment.js';

/** Where a playlist ends: at a part of the open segment, or before its first. */
export interface Position {
  readonly segment: number;
  readonly part: number;
}

export interface WindowOptions {
  /** Segments that are listed at least. */
  readonly listed: number;
  readonly target: Micros;
  /** How far back the playlist goes, where older segments are kept on disk. */
  readonly onDisk?: { readonly folder: SegmentFolder; readonly duration: Micros } | undefined;
  readonly now: () => Millis;
}

/** A segment that is in no playlist any more, and can still be had. */
interface LeftSegment {
  readonly number: number;
  readonly init: number | undefined;
  readonly until: number;
}

const SECOND = 1_000_000;
/** RFC 8216 §6.2.2: a live playlist lasts three target durations at least. */
const LEAST_TARGETS = 3;
/** Segments with parts are in memory for as long again as playlists list the parts. */
const MEMORY_TARGETS = 2 * LEAST_TARGETS;
/** A long window isn't kept on disk twice for the sake of players that don't reload their playlist. */
const MOST_AFTERLIFE_MS = 600_000;

/** The segments of a live playlist: those that are listed, those that have just left, and the one that is being made. */
export class SegmentWindow {
  readonly #options: WindowOptions;
  readonly #listed: ListedSegment[] = [];
  /** Oldest first. */
  #left: LeftSegment[] = [];
  /** What is in memory, by number. */
  readonly #held = new Map<number, Segment>();
  readonly #inits = new Map<number, Buffer>();
  /** Listed segments before this one are on disk, or on their way there. */
  #firstInMemory = 0;
  #duration = 0;
  #durationInMemory = 0;
  #dependent = 0;
  #removed = 0;
  #discontinuities = 0;
  #targetSeconds: number | undefined;
  #longest = 0;
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
    return this.#listed.length === 0;
  }

  /** Oldest first. It changes with the window. */
  get listed(): readonly ListedSegment[] {
    return this.#listed;
  }

  /** How long they take to play, in seconds. */
  get seconds(): number {
    return this.#duration / SECOND;
  }

  /** Whether decoding can begin with each of them. */
  get isIndependent(): boolean {
    return this.#dependent === 0;
  }

  /** Segments that have been listed and are not any more. */
  get removed(): number {
    return this.#removed;
  }

  /** Segments whose bytes are in memory. */
  get held(): number {
    return this.#held.size;
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
    this.#listed.push(segment);
    this.#held.set(segment.number, segment);
    this.#duration += segment.duration;
    this.#durationInMemory += segment.duration;
    if (!segment.independent) this.#dependent += 1;
    const seconds = Math.max(1, Math.round(segment.duration / SECOND));
    this.#targetSeconds = Math.max(this.targetSeconds, seconds);
    this.#moveToDisk();
    this.#removeOld();
    this.#longest = Math.max(this.#longest, this.#duration);
    this.#forgetOld();
  }

  /** What is in memory of a segment. */
  find(number: number): Segment | OpenSegment | undefined {
    return this.#open?.number === number ? this.#open : this.#held.get(number);
  }

  /** Whether a segment can be had, be it in memory or on disk, or will be. */
  isKept(number: number): boolean {
    const oldest = this.#left[0] ?? this.#listed[0];
    return oldest !== undefined ? number >= oldest.number : number >= this.#next;
  }

  /** The most that a segment in memory takes, in bit/s. */
  get peakBitrate(): number {
    const rates = [...this.#held.values()].map(({ bytes, duration }) => (bytes.length * 8_000_000) / duration);
    return Math.max(0, ...rates);
  }

  /** A segment is on disk now. */
  stored(number: number): void {
    this.#held.delete(number);
    const at = this.#indexOf(number);
    const segment = this.#listed[at];
    if (segment === undefined) return;
    const { startedAt, discontinuity, init, key, independent, duration } = segment;
    this.#listed[at] = { number, startedAt, discontinuity, init, key, independent, duration, parts: [] };
  }

  /** A segment isn't on disk, or not any more: the playlist begins behind it. @returns whether it had been listed */
  lost(number: number): boolean {
    const isListed = this.#listed[this.#indexOf(number)] !== undefined;
    while (this.#listed[0] !== undefined && this.#listed[0].number <= number) this.#removeFirst();
    return isListed;
  }

  #indexOf(number: number): number {
    return number - (this.#listed[0]?.number ?? 0);
  }

  #moveToDisk(): void {
    const { onDisk, listed } = this.#options;
    if (onDisk === undefined) return;
    const least = MEMORY_TARGETS * this.targetSeconds * SECOND;
    for (;;) {
      const at = Math.max(0, this.#indexOf(this.#firstInMemory));
      const oldest = this.#listed[at];
      if (oldest === undefined || this.#listed.length - at <= listed) return;
      if (this.#durationInMemory - oldest.duration < least) return;
      this.#firstInMemory = oldest.number + 1;
      this.#durationInMemory -= oldest.duration;
      const segment = this.#held.get(oldest.number);
      if (segment !== undefined) onDisk.folder.write(segment.number, segment.bytes);
    }
  }

  /** Takes off the playlist what it does without, RFC 8216 §6.2.2. */
  #removeOld(): void {
    const { onDisk, listed } = this.#options;
    const least = Math.max(LEAST_TARGETS * this.targetSeconds * SECOND, onDisk?.duration ?? 0);
    for (;;) {
      const [oldest] = this.#listed;
      if (oldest === undefined || this.#listed.length <= listed) return;
      if (this.#duration - oldest.duration < least) return;
      if (onDisk !== undefined && oldest.number >= this.#firstInMemory) return;
      this.#removeFirst();
    }
  }

  #removeFirst(): void {
    const segment = this.#listed.shift();
    if (segment === undefined) return;
    const { number, init, duration, discontinuity, independent } = segment;
    this.#removed += 1;
    this.#duration -= duration;
    if (discontinuity) this.#discontinuities += 1;
    if (!independent) this.#dependent -= 1;
    if (number >= this.#firstInMemory) {
      this.#firstInMemory = number + 1;
      this.#durationInMemory -= duration;
    }
    this.#left.push({ number, init, until: this.#options.now() + this.#afterlifeOf(segment) });
  }

  /** A segment that has left stays for its own length and that of the longest playlist, in ms: RFC 8216 §6.2.2. */
  #afterlifeOf({ number, duration }: ListedSegment): number {
    const longest = this.#longest / 1000;
    if (this.#options.onDisk === undefined) return duration / 1000 + longest;
    // What could not be put on disk isn't heaped up in memory.
    const most = this.#held.has(number) ? this.#durationInMemory / 1000 : MOST_AFTERLIFE_MS;
    return duration / 1000 + Math.min(longest, most);
  }

  #forgetOld(): void {
    const now = this.#options.now();
    for (const { number, until } of this.#left) {
      if (now <= until) continue;
      this.#held.delete(number);
      this.#options.onDisk?.folder.remove(number);
    }
    this.#left = this.#left.filter(({ until }) => now <= until);
    const first = this.#left[0] ?? this.#listed[0];
    for (const number of this.#inits.keys()) {
      if (first?.init !== undefined && number < first.init) this.#inits.delete(number);
    }
  }
}
