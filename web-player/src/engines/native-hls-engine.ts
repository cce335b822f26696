import { bufferedEnd, latencyByClock } from '../live-edge.js';
import type { ServerClock } from '../server-clock.js';
import type { Engine, EngineSource, TimeShift } from './engine.js';

interface DatedVideo extends HTMLVideoElement {
  /** Safari: the wall time of media time 0. */
  getStartDate?(): Date;
}

/** Behind the end of what the browser says it could seek to. */
const HOLD_BACK_SECONDS = 4;

/** HLS by the browser itself: Safari on phones. */
export class NativeHlsEngine implements Engine {
  readonly latencyBasis = 'clock';
  readonly followsEdge = true;
  readonly patience = { firstPicture: 30_000, nextPicture: 15_000 };
  readonly qualities = [];
  readonly timeShift: TimeShift = {
    range: () => {
      const { seekable } = this.#video;
      const end = this.livePosition();
      return end === undefined ? undefined : { start: seekable.start(seekable.length - 1), end };
    },
    dateAt: (time) => {
      const start = this.#video.getStartDate?.().getTime() ?? Number.NaN;
      return Number.isNaN(start) ? undefined : start + time * 1000;
    },
    // The browser leaves the viewer alone.
    stayBehind: () => {},
  };
  readonly #video: DatedVideo;
  readonly #clock: ServerClock;
  readonly #onError: () => void;

  constructor({ video, url, clock, events }: EngineSource) {
    this.#video = video;
    this.#clock = clock;
    this.#onError = () => events.failed({ reason: video.error?.message ?? 'the browser gave up' });
    video.addEventListener('error', this.#onError);
    video.src = url;
  }

  chooseQuality(): void {}

  latency(): number | undefined {
    const start = this.#video.getStartDate?.().getTime();
    if (start === undefined) return undefined;
    return latencyByClock(start + this.#video.currentTime * 1000, this.#clock.now());
  }

  livePosition(): number | undefined {
    const end = bufferedEnd(this.#video.seekable);
    return end === undefined ? undefined : end - HOLD_BACK_SECONDS;
  }

  destroy(): void {
    this.#video.removeEventListener('error', this.#onError);
    this.#video.removeAttribute('src');
    this.#video.load();
  }
}
