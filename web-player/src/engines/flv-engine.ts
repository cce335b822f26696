import mpegts from 'mpegts.js';
import { bufferedEnd } from '../live-edge.js';
import type { TrackStatus } from '../status-client.js';
import type { Engine, EngineSource } from './engine.js';

const BACK_BUFFER_SECONDS = { max: 60, min: 30 } as const;

/** FLV over HTTP or WebSocket by Media Source Extensions. */
export class FlvEngine implements Engine {
  readonly latencyIsMeasured = false;
  readonly followsEdge = false;
  readonly qualities = [];
  readonly #video: HTMLVideoElement;
  readonly #player: mpegts.Player;

  constructor({ video, url, events }: EngineSource, tracks: readonly TrackStatus[]) {
    this.#video = video;
    const has = (kind: TrackStatus['kind']) => tracks.length === 0 || tracks.some((track) => track.kind === kind);
    mpegts.LoggingControl.enableAll = false;
    this.#player = mpegts.createPlayer(
      { type: 'flv', isLive: true, url, hasAudio: has('audio'), hasVideo: has('video') },
      {
        enableStashBuffer: false,
        lazyLoad: false,
        autoCleanupSourceBuffer: true,
        autoCleanupMaxBackwardDuration: BACK_BUFFER_SECONDS.max,
        autoCleanupMinBackwardDuration: BACK_BUFFER_SECONDS.min,
      },
    );
    this.#player.on(mpegts.Events.ERROR, (type: string, detail: string) => events.failed(`${type}: ${detail}`));
    this.#player.on(mpegts.Events.LOADING_COMPLETE, () => events.failed('the stream ended'));
    this.#player.attachMediaElement(video);
    this.#player.load();
  }

  chooseQuality(): void {}

  latency(): number | undefined {
    const end = bufferedEnd(this.#video.buffered);
    return end === undefined ? undefined : Math.max(0, end - this.#video.currentTime);
  }

  destroy(): void {
    this.#player.destroy();
  }
}
