import { isDisposable, type Micros, type Sample, type VideoCodec } from '@sluice/media';

/** What a picture is to those that are shown around it. */
export type PictureRole =
  | 'in-order'
  /** A B-frame that nothing depends on. */
  | 'disposable'
  /** A B-frame that others depend on. */
  | 'needed';

/** Tells B-frames from others: they are shown before what was decoded before them. */
export class BFrameWatch {
  #latest: Micros | undefined;
  #hasSeenOne = false;

  /** Whether the stream has had a B-frame since its tracks last changed. */
  get hasSeenOne(): boolean {
    return this.#hasSeenOne;
  }

  reset(): void {
    this.#latest = undefined;
    this.#hasSeenOne = false;
  }

  /** @param sample of video, in the order of decoding */
  roleOf({ pts, keyframe, data }: Sample, codec: VideoCodec): PictureRole {
    const isLate = this.#latest !== undefined && pts < this.#latest && !keyframe;
    if (!isLate) {
      this.#latest = pts;
      return 'in-order';
    }
    this.#hasSeenOne = true;
    return isDisposable(codec, data) ? 'disposable' : 'needed';
  }
}
