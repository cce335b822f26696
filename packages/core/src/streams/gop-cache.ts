import type { Micros, Sample } from '@sluice/media';

/** How much of a GOP is remembered. Past any of these the cache is given up until the next keyframe. */
export interface GopCacheLimits {
  readonly maxFrames: number;
  readonly maxBytes: number;
  readonly maxDuration: Micros;
}

/** Samples of a stream without video that are worth remembering; there is no keyframe to begin at. */
const AUDIO_ONLY_DURATION = 1_000_000;

/**
 * The samples since the last video keyframe, so that an output that is made in the middle of a GOP can begin with a
 * picture. For a stream without video, the last second.
 */
export class GopCache {
  readonly #limits: GopCacheLimits;
  #samples: Sample[] = [];
  #bytes = 0;
  #hasVideo = false;
  #givenUp = false;

  constructor(limits: GopCacheLimits) {
    this.#limits = limits;
  }

  /** In the order in which they came. */
  get samples(): readonly Sample[] {
    return this.#samples;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(sample: Sample): void {
    const isVideo = sample.kind === 'video';
    if (isVideo && (sample.keyframe || !this.#hasVideo)) {
      this.clear();
      this.#hasVideo = true;
      this.#givenUp = !sample.keyframe;
    }
    if (this.#givenUp) return;
    this.#samples.push(sample);
    this.#bytes += sample.data.length;
    if (this.#hasVideo) this.#enforceLimits(sample);
    else this.#dropOldAudio(sample);
  }

  clear(): void {
    this.#samples = [];
    this.#bytes = 0;
    this.#hasVideo = false;
    this.#givenUp = false;
  }

  #enforceLimits(newest: Sample): void {
    const { maxBytes, maxDuration, maxFrames } = this.#limits;
    const oldest = this.#samples[0] ?? newest;
    if (this.#samples.length <= maxFrames && this.#bytes <= maxBytes && newest.dts - oldest.dts <= maxDuration) return;
    this.#samples = [];
    this.#bytes = 0;
    this.#givenUp = true;
  }

  #dropOldAudio(newest: Sample): void {
    for (let oldest = this.#samples[0]; oldest !== undefined; oldest = this.#samples[0]) {
      if (newest.dts - oldest.dts <= AUDIO_ONLY_DURATION) break;
      this.#samples.shift();
      this.#bytes -= oldest.data.length;
    }
  }
}
