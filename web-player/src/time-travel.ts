import type { Engine, SeekRange } from './engines/engine.js';
import { isLive, worthSeeking } from './seek-range.js';

/** A past that the engine at work doesn't have, but another protocol does. */
export interface Elsewhere {
  /** How far back it goes, in seconds; undefined where it doesn't. */
  past(): number | undefined;
  /** The server's time, ms since 1970. */
  now(): number;
  /** Goes on with the other protocol. @param behind seconds */
  goBack(behind: number): void;
  /** Whether it went there. */
  readonly isThere: boolean;
  /** Comes back, to the live picture. */
  comeBack(): void;
}

export interface TimeTravelOptions {
  readonly video: HTMLVideoElement;
  /** The one at work. */
  readonly engine: () => Engine | undefined;
  /** Goes to a media time. */
  readonly seek: (time: number) => void;
  readonly elsewhere?: Elsewhere;
}

/** Where in a stream the viewer is by choice: at its live edge, or in its past. */
export class TimeTravel {
  readonly #options: TimeTravelOptions;
  #shifted = false;

  constructor(options: TimeTravelOptions) {
    this.#options = options;
  }

  /** Whether the viewer has gone back in time. */
  get shifted(): boolean {
    return this.#shifted;
  }

  /** What can be sought; undefined where that isn't worth a time bar. */
  get range(): SeekRange | undefined {
    return this.#ownRange ?? this.#rangeElsewhere;
  }

  /** When a picture was live, ms since 1970. @param time media time */
  dateAt(time: number): number | undefined {
    const { engine, elsewhere, video } = this.#options;
    if (this.#ownRange === undefined && this.#rangeElsewhere !== undefined && elsewhere !== undefined) {
      return elsewhere.now() - (video.currentTime - time) * 1000;
    }
    return engine()?.timeShift?.dateAt(time);
  }

  /** Goes to a picture of the past, or to the live edge if it is that far. @param time media time */
  seekTo(time: number): void {
    const { range } = this;
    if (range === undefined) return;
    if (isLive(time, range)) {
      this.toLiveEdge();
      return;
    }
    if (this.#ownRange === undefined) {
      this.#options.elsewhere?.goBack(range.end - Math.max(time, range.start));
      return;
    }
    this.#shift(true);
    this.#options.seek(Math.max(time, range.start));
  }

  /** @param seconds backwards where they are negative */
  seekBy(seconds: number): void {
    this.seekTo(this.#options.video.currentTime + seconds);
  }

  toLiveEdge(): void {
    this.#shift(false);
    const { elsewhere } = this.#options;
    if (elsewhere?.isThere === true) elsewhere.comeBack();
    else this.#catchUp();
  }

  /** The viewer pauses. Where there is a past, it will go on there. */
  pause(): void {
    if (this.#ownRange !== undefined) this.#shift(true);
  }

  /** The viewer goes on: where the pause began, or where the past begins by now, or at the live edge. */
  resume(): void {
    const start = this.#ownRange?.start ?? 0;
    if (!this.#shifted) this.#catchUp();
    else if (this.#options.video.currentTime < start) this.#options.seek(start);
  }

  /** Another engine begins, at the live edge. */
  reset(): void {
    this.#shifted = false;
  }

  /** An engine that has the past has begun in order to go there. @returns whether it knows of its past by now */
  arrive(behind: number): boolean {
    const range = this.#ownRange;
    if (range === undefined) return false;
    this.#shift(true);
    this.#options.seek(Math.max(range.start, range.end - behind));
    return true;
  }

  #catchUp(): void {
    const { engine, video, seek } = this.#options;
    const position = engine()?.livePosition();
    if (position !== undefined && position > video.currentTime) seek(position);
  }

  get #ownRange(): SeekRange | undefined {
    return worthSeeking(this.#options.engine()?.timeShift?.range());
  }

  get #rangeElsewhere(): SeekRange | undefined {
    const { engine, elsewhere, video } = this.#options;
    const atWork = engine();
    const past = atWork === undefined || atWork.timeShift !== undefined ? undefined : elsewhere?.past();
    const end = video.currentTime;
    return past === undefined ? undefined : worthSeeking({ start: end - past, end });
  }

  #shift(on: boolean): void {
    this.#shifted = on;
    this.#options.engine()?.timeShift?.stayBehind(on);
  }
}
