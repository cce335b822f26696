import type { Engine } from './engines/engine.js';
import { bufferedAhead, bufferedEnd, Comfort, chase, endOfGap, firstStep } from './live-edge.js';

/** In its first moments an engine gets what the server had in store, and jumps over that. */
const BEGINNING_MS = 2000;

/** Keeps the picture near the live edge where the engine doesn't, and leads it out of gaps. */
export class EdgeFollower {
  readonly #video: HTMLVideoElement;
  readonly #seek: (time: number) => void;
  readonly #comfort = new Comfort();

  /** @param seek goes to a media time */
  constructor(video: HTMLVideoElement, seek: (time: number) => void) {
    this.#video = video;
    this.#seek = seek;
  }

  /** The picture moves. @param age of the engine; times are in milliseconds */
  moved(engine: Engine, { now, age, wasStill }: { now: number; age: number; wasStill: boolean }): void {
    if (wasStill) this.#comfort.stalled(now);
    else this.#comfort.moved(now);
    if (engine.followsEdge) return;
    const video = this.#video;
    const lag = bufferedAhead(video.buffered, video.currentTime) ?? 0;
    const { seconds } = this.#comfort;
    const step = age < BEGINNING_MS ? firstStep(lag, seconds) : chase(lag, video.playbackRate, seconds);
    if (step.seekBehindEdge !== undefined) this.#seek((bufferedEnd(video.buffered) ?? 0) - step.seekBehindEdge);
    if (video.playbackRate !== step.rate) video.playbackRate = step.rate;
  }

  /** The picture stands still: perhaps before a gap in what has come. */
  stands(): void {
    const end = endOfGap(this.#video.buffered, this.#video.currentTime);
    if (end !== undefined && !this.#video.seeking) this.#seek(end);
  }
}
