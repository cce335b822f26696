import Hls, { type ErrorData } from 'hls.js';
import { latencyByClock } from '../live-edge.js';
import type { ServerClock } from '../server-clock.js';
import type { Engine, EngineSource, Quality } from './engine.js';

const MAX_CATCH_UP_RATE = 1.06;
const BACK_BUFFER_SECONDS = 30;

/** HLS by Media Source Extensions. */
export class HlsEngine implements Engine {
  readonly latencyBasis = 'clock';
  readonly followsEdge = true;
  /** A first segment has to be made and to end; the engine has its own ways over a stall. */
  readonly patience = { firstPicture: 30_000, nextPicture: 15_000 };
  readonly #hls: Hls;
  readonly #clock: ServerClock;
  #mediaErrors = 0;

  constructor({ video, url, clock, events }: EngineSource) {
    this.#clock = clock;
    this.#hls = new Hls({
      liveSyncDurationCount: 2,
      liveMaxLatencyDurationCount: 6,
      maxLiveSyncPlaybackRate: MAX_CATCH_UP_RATE,
      backBufferLength: BACK_BUFFER_SECONDS,
    });
    this.#hls.on(Hls.Events.MANIFEST_PARSED, () => events.qualitiesChanged());
    this.#hls.on(Hls.Events.ERROR, (_event, data) => this.#failed(data, events));
    this.#hls.loadSource(url);
    this.#hls.attachMedia(video);
  }

  get qualities(): readonly Quality[] {
    const { levels } = this.#hls;
    if (levels.length < 2) return [];
    return levels.map((level) => ({ name: level.height > 0 ? `${level.height}p` : level.name }));
  }

  chooseQuality(index: number): void {
    this.#hls.currentLevel = index;
  }

  latency(): number | undefined {
    return latencyByClock(this.#hls.playingDate?.getTime(), this.#clock.now());
  }

  livePosition(): number | undefined {
    return this.#hls.liveSyncPosition ?? undefined;
  }

  destroy(): void {
    this.#hls.destroy();
  }

  #failed(data: ErrorData, events: EngineSource['events']): void {
    if (!data.fatal) return;
    if (data.type === Hls.ErrorTypes.MEDIA_ERROR && this.#mediaErrors === 0) {
      this.#mediaErrors += 1;
      this.#hls.recoverMediaError();
      return;
    }
    const code = data.response?.code ?? 0;
    events.failed({ reason: data.details, httpStatus: code >= 400 ? code : undefined });
  }
}
