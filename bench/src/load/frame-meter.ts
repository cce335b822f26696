import { monotonicMs } from '../clock.js';
import type { Histogram } from '../histogram.js';
import type { Shared } from './shared.js';
import type { FrameSink } from './video-head.js';

const MICROS_PER_MILLI = 1000;

/** Meters the frames of one viewer. Latencies go into the worker's histogram. */
export class FrameMeter implements FrameSink {
  /** Frames of the measured window. */
  frames = 0;
  /** Times that a frame did not follow the one before. */
  gaps = 0;
  /** When the first keyframe was there, monotonic ms; 0 before. */
  firstKeyframeAt = 0;
  readonly #shared: Shared;
  readonly #latencies: Histogram;
  #last = -1;

  constructor(shared: Shared, latencies: Histogram) {
    this.#shared = shared;
    this.#latencies = latencies;
  }

  frame(sequence: number, keyframe: boolean): void {
    if (this.#last >= 0 && sequence !== this.#last + 1) this.gaps++;
    this.#last = sequence;
    if (this.firstKeyframeAt === 0 && keyframe) this.firstKeyframeAt = monotonicMs();
    const { sentAt, window } = this.#shared;
    const sent = sentAt[sequence] ?? 0;
    if (sent < (window[0] ?? 0) || sent >= (window[1] ?? 0)) return;
    this.frames++;
    this.#latencies.record((monotonicMs() - sent) * MICROS_PER_MILLI);
  }
}
