import Hls, { type ErrorData } from 'hls.js';
import type { Engine, EngineSource, Quality } from './engine.js';

const MAX_CATCH_UP_RATE = 1.06;
const BACK_BUFFER_SECONDS = 30;

/** HLS by Media Source Extensions. */
export class HlsEngine implements Engine {
  readonly latencyIsMeasured = true;
  readonly followsEdge = true;
  readonly #hls: Hls;
  #mediaErrors = 0;

  constructor({ video, url, events }: EngineSource) {
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
    const shown = this.#hls.playingDate;
    return shown === null ? undefined : (Date.now() - shown.getTime()) / 1000;
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
    events.failed(data.details);
  }
}
