import type { Clock, Doorkeeper, FfmpegProgram, LiveConfig, Logger, StreamRouter } from '@sluice/core';
import { rtpOutputKind, SdpExchange, type SdpHandler, WhepPlay } from '@sluice/delivery';
import type { WebRtcServer } from '@sluice/webrtc';

export interface SdpDoorOptions {
  readonly live: LiveConfig;
  readonly clock: Clock;
  readonly gate: Doorkeeper;
  readonly router: StreamRouter;
  readonly server: WebRtcServer;
  /** Answers WHIP. */
  readonly publish: SdpHandler;
  /** Where there is one. */
  readonly ffmpeg: Pick<FfmpegProgram, 'file'> | undefined;
  readonly log: Logger;
}

/** WHIP and WHEP, over HTTP. */
export function makeSdpExchange(options: SdpDoorOptions): SdpExchange {
  const { live, clock, gate, router, server, publish, ffmpeg, log } = options;
  const kind = rtpOutputKind({ ffmpeg: ffmpeg?.file, log, now: clock.monotonic });
  const canConvert = ffmpeg !== undefined;
  const [wallClock, now] = [clock.wall, clock.monotonic];
  const play = new WhepPlay({ gate, router, server, kind, canConvert, log, wallClock, now });
  return new SdpExchange({
    handlers: { publish, play },
    server,
    gate,
    settings: () => live.current.webrtc,
    now: () => clock.wall() / 1000,
  });
}
