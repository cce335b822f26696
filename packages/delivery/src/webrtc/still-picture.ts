import type { Micros, Sample, VideoCodec } from '@sluice/media';

/** Those whose packets don't count pictures: one that only some viewers get would be missed by all others. */
const UNCOUNTED: ReadonlySet<VideoCodec> = new Set(['h264', 'hevc', 'av1']);

/**
 * The keyframe of the GOP that is under way: who comes in its middle has it to look at until the next one. The pictures
 * between aren't sent: what is older would be played late for ever.
 */
export class StillPicture {
  #keyframe: Sample | undefined;
  #newest: Micros | undefined;

  /** A picture of the stream has come. */
  push(picture: Sample, codec: VideoCodec): void {
    if (picture.keyframe) this.#keyframe = UNCOUNTED.has(codec) ? picture : undefined;
    if (picture.keyframe || this.#newest === undefined || picture.pts > this.#newest) this.#newest = picture.pts;
  }

  /** It, as if it were of just now, so that nothing has to be waited for; undefined where there is none. */
  get picture(): Sample | undefined {
    if (this.#keyframe === undefined || this.#newest === undefined) return undefined;
    return { ...this.#keyframe, pts: this.#newest };
  }

  /** What follows is another encoder's. */
  clear(): void {
    this.#keyframe = undefined;
    this.#newest = undefined;
  }
}
