import type { Socket } from 'node:net';
import { join } from 'node:path';
import {
  type FromWorker,
  type Line,
  type NumberedFrame,
  ProcessMeter,
  RelayedStreams,
  RemoteDoorkeeper,
  RemotePublishing,
  type ToWorker,
} from '@sluice/cluster';
import {
  baseUrlFor,
  EventBus,
  ForwardedAddress,
  findFfmpeg,
  LiveConfig,
  type Logger,
  type Place,
  StreamRouter,
  settingsFor,
  soundConverter,
  systemClock,
} from '@sluice/core';
import { MediaHttpServer, type MediaRequest, type MediaRoute, SegmentDisk, sdpRouteOf } from '@sluice/delivery';
import { RtmpServer } from '@sluice/rtmp';
import { type LiveDoors, makeLiveDoors, rtmpOptions } from '../live-doors.js';
import type { HandedSocket } from '../workers/handed-socket.js';
import { PastStreams } from '../workers/past-streams.js';
import { placeOfRoute } from '../workers/request-place.js';
import { webRtcPortOf } from '../workers/worker-count.js';
import { ConnectionReport } from './connection-report.js';
import { lineLogger } from './line-logger.js';
import { MainRequests } from './main-requests.js';
import { PushedRenditions } from './pushed-renditions.js';
import { WorkerWebRtc } from './worker-webrtc.js';

const TELL_MS = 1000;

type WorkerLine = Pick<Line<FromWorker, ToWorker>, 'send' | 'write' | 'waiting' | 'onDrain'>;
type Start = ToWorker & { type: 'start' };

/** A process that serves viewers, put together. What it doesn't have itself, the main process does for it. */
export class DeliveryWorker {
  readonly #line: WorkerLine;
  readonly #log: Logger;
  readonly #live: LiveConfig;
  readonly #gate: RemoteDoorkeeper;
  readonly #router: StreamRouter;
  readonly #streams: RelayedStreams;
  readonly #renditions: PushedRenditions;
  readonly #doors: LiveDoors;
  readonly #http: Readonly<Record<'http' | 'https', MediaHttpServer | undefined>>;
  readonly #rtmp: Readonly<Record<'rtmp' | 'rtmps', RtmpServer | undefined>>;
  readonly #webRtc: WorkerWebRtc | undefined;
  readonly #requests: MainRequests;
  readonly #connections: ConnectionReport;
  /** Where viewers are sent; undefined while the server serves. */
  #places: readonly Place[] | undefined;
  readonly #meter = new ProcessMeter();
  readonly #timer: NodeJS.Timeout;

  constructor({ start, line }: { start: Start; line: WorkerLine }) {
    const { config, certificate } = start;
    const send = (message: FromWorker) => line.send(message);
    this.#line = line;
    const live = new LiveConfig({ config, sources: new Map() });
    const log = lineLogger(send, () => live.current.log.level);
    const clock = systemClock;
    const events = new EventBus(log);
    this.#live = live;
    const past = new PastStreams(live);
    this.#log = log;
    this.#streams = new RelayedStreams({
      router: () => this.#router,
      send,
      stays: (path) => settingsFor(live.current, path).hls.always && !past.has(path) && !past.isBehindCdn,
    });
    this.#gate = new RemoteDoorkeeper({
      send,
      onAdmitted: (path, canFetch) => this.#streams.noteAdmission(path, canFetch),
    });
    this.#router = new StreamRouter({
      clock,
      events,
      settingsFor: (path) => settingsFor(live.current, path),
      convertSound: soundConverter(findFfmpeg(process.env), log),
      fetcher: this.#streams,
    });
    for (const path of start.live) this.#streams.take({ type: 'live', path });
    this.#renditions = new PushedRenditions(send);
    events.on('hls-segment', (segment) => send({ type: 'segment', segment }));
    // Nothing goes there: what has a past is served by the main process.
    const directory = join(config.hls.diskDir ?? join(config.data.dir, 'hls'), `worker-${start.worker}`);
    const disk = new SegmentDisk({ directory, maxBytes: () => live.current.hls.diskMaxBytes, log });
    this.#doors = makeLiveDoors({
      ...{ live, clock, events, disk, log },
      gate: this.#gate,
      router: this.#router,
      publishing: new RemotePublishing({ line, gate: this.#gate }),
      renditions: this.#renditions,
      processes: start.workers,
      hlsFromStart: ({ hls }) => hls.always && hls.windowSeconds === 0,
    });
    this.#requests = new MainRequests(start.requestSocket);
    const shared = { live, clock, gate: this.#gate, router: this.#router, log };
    this.#webRtc = config.webrtc.enabled ? new WorkerWebRtc(shared) : undefined;
    const http = {
      ...this.#doors,
      ...{ sdp: this.#webRtc?.exchange, own: undefined, pages: undefined, log },
      elsewhere: {
        has: (route, request) => placeOfRoute(route, past) === 'main' || this.#isOtherPeers(route, request),
        serve: this.#requests.serve,
      },
      forwarded: new ForwardedAddress(() => live.current.http.trustedProxies),
      origin: () => live.current.http.origin,
      placeFor: (ip, schemes) => this.#places && baseUrlFor(this.#places, ip, schemes),
      corsOrigin: config.http.corsOrigin,
      maxConnections: config.http.maxConnections,
    } satisfies ConstructorParameters<typeof MediaHttpServer>[0];
    const rtmp = { handlers: this.#doors.rtmp, log, ...rtmpOptions(config) };
    const tls = certificate;
    this.#http = { http: new MediaHttpServer(http), https: tls && new MediaHttpServer({ ...http, tls }) };
    this.#rtmp = { rtmp: new RtmpServer(rtmp), rtmps: tls && new RtmpServer({ ...rtmp, tls }) };
    this.#connections = new ConnectionReport(send);
    this.#timer = setInterval(() => this.#tell(), TELL_MS);
  }

  /** Begins to serve. */
  async open({ worker, config }: Start): Promise<void> {
    await this.#webRtc?.listen(webRtcPortOf(config, worker), config.webrtc.host);
    this.#line.send({ type: 'ready' });
  }

  /** Serves a connection that the main process accepted; undefined where it has gone on the way. */
  accept({ id, door, head }: HandedSocket, socket: Socket | undefined): void {
    this.#connections.opened(id, socket);
    if (socket === undefined) return;
    const received = head === undefined ? undefined : Buffer.from(head, 'base64');
    if (door === 'rtmp' || door === 'rtmps') {
      this.#rtmp[door]?.accept(socket, received);
      return;
    }
    if (received !== undefined) socket.unshift(received);
    this.#http[door]?.accept(socket);
  }

  frame(frame: NumberedFrame): void {
    this.#streams.frame(frame);
  }

  /** Takes what the main process says. */
  take(message: Exclude<ToWorker, { type: 'start' | 'stop' }>): void {
    switch (message.type) {
      case 'answer':
      case 'refusal':
      case 'cut':
      case 'move':
        this.#gate.take(message);
        break;
      case 'live':
      case 'over':
      case 'relay':
      case 'no-relay':
      case 'relay-lost':
        this.#streams.take(message);
        break;
      case 'config':
        this.#live.apply({ config: message.config, sources: new Map() });
        break;
      case 'certificate':
        this.#http.https?.setCertificate(message.certificate);
        this.#rtmp.rtmps?.setSecureContext(message.certificate);
        break;
      case 'draining':
        this.#places = message.places;
        break;
      case 'renditions':
        this.#renditions.take(message.of);
        break;
    }
  }

  /** Ends all connections: politely as long as patience lasts. */
  async stop({ reason, patienceMs }: ToWorker & { type: 'stop' }): Promise<void> {
    clearInterval(this.#timer);
    this.#router.close(reason);
    const { http, https } = this.#http;
    const { rtmp, rtmps } = this.#rtmp;
    const closing = [http?.close(), https?.close(), rtmp?.close(reason), rtmps?.close(reason)];
    this.#doors.dash.close(reason);
    closing.push(this.#webRtc?.close(reason));
    const cut = setTimeout(() => {
      for (const server of [http, https]) server?.closeAll();
    }, patienceMs);
    await Promise.all([...closing, this.#doors.hls.close(reason)]);
    clearTimeout(cut);
    this.#requests.close();
    this.#gate.tellTraffic();
    // Its last words go out with that.
    if (this.#line.waiting > 0) await new Promise<void>((resolve) => this.#line.onDrain(resolve));
  }

  #tell(): void {
    const { user, system } = process.cpuUsage();
    const usage = { ...this.#meter.take(), cpuSeconds: (user + system) / 1e6 };
    this.#gate.tellTraffic();
    this.#streams.sweep(systemClock.monotonic());
    this.#line.send({ type: 'usage', ...usage });
  }

  /** Whether a request is about WebRTC that isn't spoken here, or about a session that another process has. */
  #isOtherPeers(route: MediaRoute, { message, pathname, query }: MediaRequest): boolean {
    if (route.kind !== 'sdp') return false;
    const id = sdpRouteOf(message.method ?? '', pathname, query)?.id;
    return !this.#webRtc?.isOpen || (id !== undefined && !this.#webRtc.has(id));
  }
}
