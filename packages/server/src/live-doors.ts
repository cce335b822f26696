import {
  type Clock,
  type Config,
  type Doorkeeper,
  type EventBus,
  type FanOutContext,
  FlushScheduler,
  type LiveConfig,
  type Logger,
  type PathSettings,
  type Publishing,
  type RenditionDirectory,
  type StreamRouter,
} from '@sluice/core';
import { DashDelivery, HlsDelivery, HttpFlv, RtmpPlay, type SegmentDisk, WsFlv } from '@sluice/delivery';
import { RtmpPublish } from '@sluice/ingest';
import { millis } from '@sluice/media';
import type { RtmpHandlers } from '@sluice/rtmp';

export interface LiveDoorsOptions {
  readonly live: LiveConfig;
  readonly clock: Clock;
  readonly events: EventBus;
  readonly gate: Doorkeeper;
  readonly router: StreamRouter;
  /** Where encoders publish. */
  readonly publishing: Publishing;
  readonly renditions: RenditionDirectory;
  readonly disk: SegmentDisk;
  /** Whether HLS of a stream is packaged here from its start on; as its settings say where it is left out. */
  readonly hlsFromStart?: ((settings: PathSettings) => boolean) | undefined;
  /** So many processes share the viewers of each stream. */
  readonly processes: number;
  readonly log: Logger;
}

/** What serves live streams over HTTP and RTMP, in whatever process. */
export interface LiveDoors {
  readonly context: FanOutContext;
  readonly flv: HttpFlv;
  readonly webSocket: WsFlv;
  readonly hls: HlsDelivery;
  readonly dash: DashDelivery;
  readonly rtmp: RtmpHandlers;
}

export function makeLiveDoors(options: LiveDoorsOptions): LiveDoors {
  const { live, clock, events, gate, router, publishing, renditions, disk, log } = options;
  const { fanOut, rtmp } = live.current;
  const policy = {
    maxDelay: millis(fanOut.maxDelayMs),
    maxRest: millis(fanOut.maxRestMs),
    restFactor: fanOut.restFactor,
    processes: options.processes,
  };
  const context = { clock, scheduler: new FlushScheduler(policy, clock) };
  const publish = new RtmpPublish({ gate, router: publishing, log });
  const play = new RtmpPlay({ gate, router, context, chunkSize: rtmp.chunkSize, log });
  return {
    context,
    flv: new HttpFlv({ gate, router, context, log }),
    webSocket: new WsFlv({ gate, router, context, log }),
    hls: new HlsDelivery({
      gate,
      router,
      renditions,
      events,
      clock,
      disk,
      startsWithStream: options.hlsFromStart,
      log,
    }),
    dash: new DashDelivery({ gate, router, renditions, events, clock, log }),
    rtmp: {
      publish: (request, control) => publish.publish(request, control),
      play: (request) => play.play(request),
    },
  };
}

/** How RTMP is spoken, by the configuration. */
export function rtmpOptions({ rtmp, publish }: Config) {
  return {
    chunkSize: rtmp.chunkSize,
    limits: {
      handshakeMs: rtmp.handshakeSeconds * 1000,
      maxMessageBytes: rtmp.maxMessageBytes,
      maxConnections: rtmp.maxConnections,
      maxConnectionsPerIp: rtmp.maxConnectionsPerIp,
      publisherIdleMs: publish.idleSeconds * 1000,
    },
  };
}
