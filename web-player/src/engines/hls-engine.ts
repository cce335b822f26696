import Hls, { type ErrorData } from 'hls.js';
import { latencyByClock } from '../live-edge.js';
import type { ServerClock } from '../server-clock.js';
import type { Engine, EngineSource, Quality, SeekRange, TimeShift } from './engine.js';

const MAX_CATCH_UP_RATE = 1.06;
const BACK_BUFFER_SECONDS = 30;
/** Further behind than this, in target durations, it goes back to the live edge. */
const MAX_LATENCY = 6;

/** HLS by Media Source Extensions. */
export class HlsEngine implements Engine {
  readonly latencyBasis = 'clock';
  readonly followsEdge = true;
  /** A first segment has to be made and to end; the engine has its own ways over a stall. */
  readonly patience = { firstPicture: 30_000, nextPicture: 15_000 };
  readonly timeShift: TimeShift = {
    range: () => this.#range(),
    dateAt: (time) => this.#dateAt(time),
    stayBehind: (on) => {
      this.#hls.config.liveMaxLatencyDurationCount = on ? Number.POSITIVE_INFINITY : MAX_LATENCY;
    },
  };
  readonly #hls: Hls;
  readonly #clock: ServerClock;
  #mediaErrors = 0;

  constructor({ video, url, clock, events }: EngineSource) {
    this.#clock = clock;
    this.#hls = new Hls({
      liveSyncDurationCount: 2,
      liveMaxLatencyDurationCount: MAX_LATENCY,
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

  #range(): SeekRange | undefined {
    const start = this.#hls.latestLevelDetails?.fragmentStart;
    const end = this.livePosition() ?? this.#hls.latestLevelDetails?.edge;
    return start === undefined || end === undefined ? undefined : { start, end };
  }

  #dateAt(time: number): number | undefined {
    const fragments = this.#hls.latestLevelDetails?.fragments ?? [];
    const fragment = fragments.findLast(({ start }) => start <= time) ?? fragments[0];
    const date = fragment?.programDateTime ?? undefined;
    return date === undefined || fragment === undefined ? undefined : date + (time - fragment.start) * 1000;
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
