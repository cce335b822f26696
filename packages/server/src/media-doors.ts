import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import type { MediaPorts } from '@sluice/api';
import {
  type Clock,
  type Config,
  type Doorkeeper,
  type EventBus,
  type FfmpegProgram,
  ForwardedAddress,
  type LiveConfig,
  type Logger,
  type PathSettings,
  type RecordingPlayback,
  type RenditionDirectory,
  type Snapshots,
  type StreamRouter,
} from '@sluice/core';
import {
  ConsolePage,
  type MediaHttpOptions,
  MediaHttpServer,
  type MediaRoutes,
  Pages,
  type PlaceFor,
  pushLines,
  RecordingDelivery,
  SegmentDisk,
  SnapshotPage,
  SrtPlay,
  StatusPages,
  tsOutputKind,
} from '@sluice/delivery';
import { type OnDemandPulls, openPullLine, SrtPublish, WhipPublish } from '@sluice/ingest';
import { RtmpServer } from '@sluice/rtmp';
import type { SrtListener } from '@sluice/srt';
import type { WebRtcServer } from '@sluice/webrtc';
import type { Certificate } from './certificate.js';
import type { ControlPorts } from './control-plane.js';
import { type LiveDoors, makeLiveDoors, rtmpOptions } from './live-doors.js';
import { openPort } from './open-port.js';
import { pagesDirectory } from './pages-directory.js';
import { Relays } from './relays.js';
import { makeSdpExchange } from './sdp-door.js';
import { makeSrtListener, passphrases } from './srt-door.js';
import { VERSION } from './version.js';
import { WebRtcDoor } from './webrtc-door.js';
import type { DoorName } from './workers/handed-socket.js';
import { isBehindCdn } from './workers/past-streams.js';
import type { WorkerPool } from './workers/worker-pool.js';

export interface MediaDoorsOptions {
  readonly live: LiveConfig;
  readonly clock: Clock;
  readonly events: EventBus;
  readonly gate: Doorkeeper;
  readonly router: StreamRouter;
  readonly snapshots: Snapshots;
  readonly controlPorts: () => ControlPorts;
  readonly renditions: RenditionDirectory;
  readonly playback: RecordingPlayback;
  readonly certificate: Certificate | undefined;
  /** The processes that serve viewers, where there are any. */
  readonly workers: WorkerPool | undefined;
  /** Where viewers and publishers are sent, while this server is drained. */
  readonly placeFor?: PlaceFor;
  /** Where there is one. */
  readonly ffmpeg: FfmpegProgram | undefined;
  readonly log: Logger;
}

/** Workers say whom they ask for, and have looked who that is. */
const FROM_WORKERS: Pick<MediaHttpOptions, 'forwarded' | 'origin'> = {
  forwarded: { of: (_peer, header) => header ?? 'unknown' },
  origin: () => ({ allow: [], secretHeader: 'x-origin-secret', secrets: [] }),
};

/** The listeners through which media comes and goes, and the handlers behind them. */
export class MediaDoors {
  readonly #config: Config;
  readonly #doors: LiveDoors;
  readonly #recordings: RecordingDelivery;
  readonly #disk: SegmentDisk;
  readonly #http: readonly MediaHttpServer[];
  readonly #rtmp: readonly RtmpServer[];
  readonly #srt: SrtListener | undefined;
  readonly #relays: Relays;
  readonly #webRtc: WebRtcDoor | undefined;
  readonly #workers: WorkerPool | undefined;
  /** Answers what came to a worker and only this process has. */
  readonly #forWorkers: MediaHttpServer | undefined;
  #ports: MediaPorts | undefined;

  constructor(options: MediaDoorsOptions) {
    const { live, certificate, log } = options;
    this.#config = live.current;
    this.#webRtc = this.#config.webrtc.enabled ? new WebRtcDoor(live, log) : undefined;
    this.#disk = new SegmentDisk({
      directory: this.#config.hls.diskDir ?? join(this.#config.data.dir, 'hls'),
      maxBytes: () => live.current.hls.diskMaxBytes,
      log,
    });
    const { doors, recordings, routes, srt, relays } = makeHandlers(options, this.#disk, this.#webRtc?.server);
    this.#doors = doors;
    this.#recordings = recordings;
    this.#relays = relays;
    this.#srt = this.#config.srt.enabled ? makeSrtListener({ live, log, ...srt }) : undefined;
    const { corsOrigin, maxConnections } = this.#config.http;
    const forwarded = new ForwardedAddress(() => live.current.http.trustedProxies);
    const { placeFor } = options;
    const origin = () => live.current.http.origin;
    const http = { ...routes, forwarded, origin, corsOrigin, maxConnections, placeFor, log };
    const rtmp = { handlers: doors.rtmp, log, ...rtmpOptions(this.#config) };
    const tls = certificate?.current;
    this.#workers = options.workers;
    this.#forWorkers = this.#workers && new MediaHttpServer({ ...http, ...FROM_WORKERS });
    // What a client asks next may be a worker's, which only a new connection gets to.
    const maxRequests = this.#workers && 1;
    this.#http = [
      new MediaHttpServer({ ...http, maxRequests }),
      ...(tls === undefined ? [] : [new MediaHttpServer({ ...http, tls })]),
    ];
    // Encoders stay in this process. Behind TLS nobody sees who is one: what they send comes from their worker.
    const handOver = this.#workers?.takePlayer;
    this.#rtmp = [
      new RtmpServer({ ...rtmp, handOver }),
      ...(tls === undefined ? [] : [new RtmpServer({ ...rtmp, tls })]),
    ];
    certificate?.onChange((next) => {
      for (const server of this.#http) server.setCertificate(next);
      for (const server of this.#rtmp) server.setSecureContext(next);
    });
  }

  /** Streams that are taken from elsewhere when somebody wants them. */
  get pulls(): OnDemandPulls {
    return this.#relays.onDemand;
  }

  /** Where RTMP is spoken; before `open`, what is configured. */
  get rtmpPort(): number {
    return this.#ports?.rtmp ?? this.#config.rtmp.port;
  }

  /** Where media can be reached; undefined until `open` is done. */
  get ports(): MediaPorts | undefined {
    return this.#ports;
  }

  /** @throws {StartError} with what is in the way and how to get around it; what is open by then stays so */
  async open(): Promise<MediaPorts> {
    const { srt, webrtc } = this.#config;
    const [listener, peers] = [this.#srt, this.#webRtc];
    const [plainRtmp, tlsRtmp] = this.#rtmp;
    const [plainHttp, tlsHttp] = this.#http;
    if (plainRtmp === undefined || plainHttp === undefined) throw new Error('there are always these two');
    await this.#disk.clean();
    await this.#startWorkers();
    const listen = (door: DoorName, own: Listener) => {
      const listener = door === 'rtmp' ? own : (this.#workers?.inFrontOf(door, own) ?? own);
      return openPort(door, this.#config[door], (port, host) => listener.listen(port, host));
    };
    const ports = {
      rtmp: await listen('rtmp', plainRtmp),
      rtmps: tlsRtmp && (await listen('rtmps', tlsRtmp)),
      http: await listen('http', plainHttp),
      https: tlsHttp && (await listen('https', tlsHttp)),
      srt:
        listener && (await openPort('srt', srt, async (port, host) => ({ port: await listener.listen(port, host) }))),
      webrtc:
        peers && (await openPort('webrtc', webrtc, async (port, host) => ({ port: await peers.listen(port, host) }))),
    };
    this.#ports = ports;
    this.#relays.start();
    return ports;
  }

  /**
   * Stops listening, and ends all connections: politely as long as patience lasts. Streams have ended by then.
   *
   * @param patienceMs what hasn't gone by then is cut
   */
  async close(reason: string, patienceMs: number): Promise<void> {
    const closing = [
      this.#workers?.close(reason, patienceMs),
      this.#forWorkers?.close(),
      ...this.#http.map((server) => server.close()),
      ...this.#rtmp.map((server) => server.close(reason)),
      this.#srt?.close(reason),
      this.#relays.close(reason),
      this.#webRtc?.close(reason),
      this.#doors.hls.close(reason),
    ];
    this.#doors.dash.close(reason);
    this.#recordings.close(reason);
    const cut = setTimeout(() => {
      for (const server of [...this.#http, this.#forWorkers]) server?.closeAll();
    }, patienceMs);
    await Promise.all(closing);
    clearTimeout(cut);
  }

  async #startWorkers(): Promise<void> {
    const workers = this.#workers;
    if (workers === undefined) return;
    await this.#forWorkers?.listenLocally(await workers.requestSocket());
    await workers.start();
  }
}

/** A server that accepts connections itself, or takes those that somebody else did. */
interface Listener {
  listen(port: number, host: string): Promise<Pick<AddressInfo, 'port'>>;
  accept(socket: Socket): void;
}

interface Handlers {
  readonly doors: LiveDoors;
  readonly recordings: RecordingDelivery;
  readonly routes: MediaRoutes;
  readonly srt: { readonly publish: SrtPublish; readonly play: SrtPlay };
  readonly relays: Relays;
}

function makeHandlers(options: MediaDoorsOptions, disk: SegmentDisk, webRtc: WebRtcServer | undefined): Handlers {
  const { live, clock, gate, router, snapshots, log } = options;
  const { rtmp, player } = live.current;
  // All others are the workers' affair.
  const hlsFromStart =
    options.workers && ((settings: PathSettings) => settings.hls.windowSeconds > 0 || isBehindCdn(live.current));
  const doors = makeLiveDoors({ ...options, publishing: router, disk, processes: 1, hlsFromStart });
  const seconds = () => live.current.transcode.snapshotSeconds;
  const recordings = new RecordingDelivery({ gate, clock, playback: options.playback, log });
  const routes: MediaRoutes = {
    ...doors,
    sdp:
      webRtc &&
      makeSdpExchange({ ...options, server: webRtc, publish: new WhipPublish({ gate, router, server: webRtc, log }) }),
    own: {
      recordings,
      snapshots: new SnapshotPage({ gate, router, snapshots, seconds }),
      status: new StatusPages({
        gate,
        router,
        server: { name: 'Sluice', version: VERSION, rtmpPort: rtmp.port },
        mayList: () => live.current.player.listStreams,
      }),
      console: new ConsolePage(() => {
        const { api, apiTls } = options.controlPorts();
        return { host: live.current.api.host, port: api, tlsPort: apiTls };
      }),
    },
    pages: player.enabled
      ? new Pages({ directory: pagesDirectory(), embedOrigins: () => live.current.player.embedOrigins })
      : undefined,
  };
  const passphraseFor = passphrases(live);
  const kind = tsOutputKind(doors.context, log);
  const srt = {
    publish: new SrtPublish({ gate, router, passphraseFor: passphraseFor.publish, log }),
    play: new SrtPlay({ gate, router, kind, passphraseFor: passphraseFor.play }),
  };
  const shared = { gate, router, log, random: Math.random };
  const relays = new Relays({
    ...options,
    pull: { ...shared, open: openPullLine },
    push: { ...shared, open: pushLines({ kind, context: doors.context, log }) },
  });
  return { doors, recordings, routes, srt, relays };
}
