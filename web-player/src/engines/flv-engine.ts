import mpegts from 'mpegts.js';
import { bufferedAhead, bufferedEnd, COMFORT } from '../live-edge.js';
import type { TrackStatus } from '../status-client.js';
import type { Engine, EngineFigures, EngineSource } from './engine.js';

const BACK_BUFFER_SECONDS = { max: 60, min: 30 } as const;

const BITS_OF_KILOBYTE = 8 * 1024;

/** FLV over HTTP or WebSocket by Media Source Extensions. */
export class FlvEngine implements Engine {
  readonly latencyBasis = 'buffered-edge';
  readonly followsEdge = false;
  /** The server begins with a keyframe that it has, or with the next one. */
  readonly patience = { firstPicture: 15_000, nextPicture: 6000 };
  readonly qualities = [];
  readonly #video: HTMLVideoElement;
  readonly #player: mpegts.Player;

  constructor({ video, url, tracks, events }: EngineSource) {
    this.#video = video;
    const has = (kind: TrackStatus['kind']) => tracks.some((track) => track.kind === kind);
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
    this.#player.on(mpegts.Events.ERROR, (type: string, detail: string, info?: { code?: number }) => {
      const refused = detail === mpegts.ErrorDetails.NETWORK_STATUS_CODE_INVALID;
      events.failed({ reason: `${type}: ${detail}`, httpStatus: refused ? info?.code : undefined });
    });
    this.#player.on(mpegts.Events.LOADING_COMPLETE, () => {
      events.failed({ reason: 'the server ended the stream', ended: true });
    });
    this.#player.attachMediaElement(video);
    this.#player.load();
  }

  latency(): number | undefined {
    return bufferedAhead(this.#video.buffered, this.#video.currentTime);
  }

  livePosition(): number | undefined {
    const end = bufferedEnd(this.#video.buffered);
    return end === undefined ? undefined : end - COMFORT;
  }

  chooseQuality(): void {}

  figures(): EngineFigures {
    const { statisticsInfo } = this.#player;
    return { bitsPerSecond: 'speed' in statisticsInfo ? statisticsInfo.speed * BITS_OF_KILOBYTE : undefined };
  }

  destroy(): void {
    this.#player.destroy();
  }
}
