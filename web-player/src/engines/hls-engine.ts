import Hls, { type ErrorData, type LevelDetails } from 'hls.js';
import { latencyByClock } from '../live-edge.js';
import type { ServerClock } from '../server-clock.js';
import type { Engine, EngineFigures, EngineSource, Quality, SeekRange, TimeShift } from './engine.js';

const MAX_CATCH_UP_RATE = 1.06;
const BACK_BUFFER_SECONDS = 30;
/** How far behind the end playing begins where the playlist doesn't tell (PART-HOLD-BACK, HOLD-BACK), in segments. */
const HOLD_BACK_SEGMENTS = 2;
/** After stalls hls.js stays further behind, by this much each time and a target duration at most. */
const STALL_STEP_SECONDS = 0.5;
/** Further behind than this it jumps; nearer, it plays faster. In segments: of a playlist with parts, and of another. */
const MAX_LATENCY_WITH_PARTS = 3;
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
      this.#staysBehind = on;
      this.#bound(this.#hls.latestLevelDetails);
    },
  };
  readonly #hls: Hls;
  readonly #clock: ServerClock;
  #mediaErrors = 0;
  /** Whoever has gone back in time isn't taken to the live edge. */
  #staysBehind = false;

  constructor({ video, url, lowLatency, clock, events }: EngineSource) {
    this.#clock = clock;
    this.#hls = new Hls({
      lowLatencyMode: lowLatency,
      maxLiveSyncPlaybackRate: MAX_CATCH_UP_RATE,
      liveSyncOnStallIncrease: STALL_STEP_SECONDS,
      backBufferLength: BACK_BUFFER_SECONDS,
    });
    // Given above, it would win over what the playlist tells.
    Object.assign(this.#hls.config, {
      liveSyncDurationCount: HOLD_BACK_SEGMENTS,
      liveMaxLatencyDurationCount: MAX_LATENCY,
    });
    this.#hls.on(Hls.Events.LEVEL_LOADED, (_event, { details }) => this.#bound(details));
    const { MANIFEST_PARSED, LEVEL_SWITCHED, AUDIO_TRACKS_UPDATED, AUDIO_TRACK_SWITCHED } = Hls.Events;
    for (const change of [MANIFEST_PARSED, LEVEL_SWITCHED, AUDIO_TRACKS_UPDATED, AUDIO_TRACK_SWITCHED] as const) {
      this.#hls.on(change, () => events.choicesChanged());
    }
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

  get playingQuality(): number {
    return this.#hls.currentLevel;
  }

  get audioTracks(): readonly string[] {
    return this.#hls.audioTracks.map(({ name }) => name);
  }

  get audioTrack(): number {
    return this.#hls.audioTrack;
  }

  chooseAudioTrack(index: number): void {
    this.#hls.audioTrack = index;
  }

  figures(): EngineFigures {
    const level = this.#hls.levels[this.#hls.currentLevel];
    return { bitsPerSecond: level?.realBitrate || level?.bitrate };
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

  /** With parts a viewer who was away comes back at once; whole segments leave no room for that. */
  #bound(details: LevelDetails | null): void {
    const most = (details?.partHoldBack ?? 0) > 0 ? MAX_LATENCY_WITH_PARTS : MAX_LATENCY;
    this.#hls.config.liveMaxLatencyDurationCount = this.#staysBehind ? Number.POSITIVE_INFINITY : most;
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
