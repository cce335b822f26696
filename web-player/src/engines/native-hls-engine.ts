import type { Engine, EngineSource } from './engine.js';

interface DatedVideo extends HTMLVideoElement {
  /** Safari: the wall time of media time 0. */
  getStartDate?(): Date;
}

/** HLS by the browser itself: Safari on phones, which has nothing else. */
export class NativeHlsEngine implements Engine {
  readonly latencyIsMeasured = true;
  readonly followsEdge = true;
  readonly qualities = [];
  readonly #video: DatedVideo;
  readonly #onError: () => void;

  constructor({ video, url, events }: EngineSource) {
    this.#video = video;
    this.#onError = () => events.failed(video.error?.message ?? 'the browser gave up');
    video.addEventListener('error', this.#onError);
    video.src = url;
  }

  chooseQuality(): void {}

  latency(): number | undefined {
    const start = this.#video.getStartDate?.().getTime() ?? Number.NaN;
    return Number.isNaN(start) ? undefined : (Date.now() - start) / 1000 - this.#video.currentTime;
  }

  destroy(): void {
    this.#video.removeEventListener('error', this.#onError);
    this.#video.removeAttribute('src');
    this.#video.load();
  }
}
