import type { Engine, SeekRange } from './engines/engine.js';
import { isLive, worthSeeking } from './seek-range.js';

export interface TimeTravelOptions {
  readonly video: HTMLVideoElement;
  /** The one at work. */
  readonly engine: () => Engine | undefined;
  /** Goes to a media time. */
  readonly seek: (time: number) => void;
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
    return worthSeeking(this.#options.engine()?.timeShift?.range());
  }

  /** When a picture was live, ms since 1970. @param time media time */
  dateAt(time: number): number | undefined {
    return this.#options.engine()?.timeShift?.dateAt(time);
  }

  /** Goes to a picture of the past, or to the live edge if it is that far. @param time media time */
  seekTo(time: number): void {
    const { range } = this;
    if (range === undefined) return;
    if (isLive(time, range)) {
      this.toLiveEdge();
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
    const position = this.#options.engine()?.livePosition();
    if (position !== undefined && position > this.#options.video.currentTime) this.#options.seek(position);
  }

  /** The viewer pauses. Where there is a past, it will go on there. */
  pause(): void {
    if (this.range !== undefined) this.#shift(true);
  }

  /** The viewer goes on: where the pause began, or where the past begins by now, or at the live edge. */
  resume(): void {
    const start = this.range?.start ?? 0;
    if (!this.#shifted) this.toLiveEdge();
    else if (this.#options.video.currentTime < start) this.#options.seek(start);
  }

  /** Another engine begins, at the live edge. */
  reset(): void {
    this.#shifted = false;
  }

  #shift(on: boolean): void {
    this.#shifted = on;
    this.#options.engine()?.timeShift?.stayBehind(on);
  }
}
