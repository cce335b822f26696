import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import {
  type Clock,
  type Config,
  EventBus,
  FlushScheduler,
  Gate,
  type Logger,
  StreamRouter,
  settingsFor,
  systemClock,
} from '@sluice/core';
import { HlsDelivery, HttpFlv, MediaHttpServer, Pages, RtmpPlay, StatusPages, WsFlv } from '@sluice/delivery';
import { FileLoop, RtmpPublish } from '@sluice/ingest';
import { millis } from '@sluice/media';
import { type RtmpHandlers, RtmpServer } from '@sluice/rtmp';
import { logLifecycle } from './session-log.js';
import { VERSION } from './version.js';

/** Something that the operator has to mend before the server can run: a taken port, a missing file. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** Where the server can be reached; undefined for what is off. */
export interface ListeningPorts {
  readonly rtmp: number;
  readonly rtmps: number | undefined;
  readonly http: number;
}

const GOING_DOWN = 'the server is going down';

/** The whole server, put together. */
export class SluiceServer {
  readonly ports: ListeningPorts;
  readonly #parts: ServerParts;
  #stopping: Promise<void> | undefined;

  private constructor(parts: ServerParts, ports: ListeningPorts) {
    this.#parts = parts;
    this.ports = ports;
  }

  /**
   * Makes all parts and opens the doors. When one of them can't be opened, the others are closed again.
   *
   * @throws {StartError} with what is in the way and how to get around it
   */
  static async start(config: Config, log: Logger): Promise<SluiceServer> {
    const parts = await makeParts(config, log);
    try {
      return new SluiceServer(parts, await openDoors(parts, config));
    } catch (error) {
      await closeParts(parts, 0);
      throw error;
    }
  }

  /** Publishes a file in a loop, until the server stops. */
  async publishLoop(file: string, path: string): Promise<void> {
    const { gate, router, clock } = this.#parts;
    this.#parts.loops.push(await FileLoop.start(file, path, { gate, router, clock }));
  }

  /** Ends all streams and connections, politely as far as the configured time allows. Later calls wait for the first. */
  stop(): Promise<void> {
    this.#stopping ??= closeParts(this.#parts, this.#parts.config.shutdownSeconds * 1000);
    return this.#stopping;
  }
}

/** What the composition root makes, in the order in which it is made. */
interface ServerParts {
  readonly config: Config;
  readonly clock: Clock;
  readonly gate: Gate;
  readonly router: StreamRouter;
  readonly hls: HlsDelivery;
  readonly http: MediaHttpServer;
  readonly rtmp: RtmpServer;
  readonly rtmps: RtmpServer | undefined;
  readonly loops: FileLoop[];
}

async function makeParts(config: Config, log: Logger): Promise<ServerParts> {
  const clock = systemClock;
  const events = new EventBus(log);
  logLifecycle(events, log);
  const gate = new Gate({ clock, events, limits: () => config.sessions, log });
  const router = new StreamRouter({ clock, events, settingsFor: (path) => settingsFor(config, path) });
  const { maxDelayMs, maxRestMs, restFactor } = config.fanOut;
  const policy = { maxDelay: millis(maxDelayMs), maxRest: millis(maxRestMs), restFactor };
  const scheduler = new FlushScheduler(policy, clock);
  const context = { clock, scheduler };
  const hls = new HlsDelivery({ gate, router, events, clock, log });
  const http = new MediaHttpServer({
    flv: new HttpFlv({ gate, router, context }),
    webSocket: new WsFlv({ gate, router, context }),
    hls,
    status: new StatusPages({
      router,
      server: { name: 'Sluice', version: VERSION, rtmpPort: config.rtmp.port },
      mayList: config.player.listStreams,
    }),
    pages: config.player.enabled ? new Pages(pagesDirectory()) : undefined,
    corsOrigin: config.http.corsOrigin,
    maxConnections: config.http.maxConnections,
    log,
  });
  const publish = new RtmpPublish({ gate, router, log });
  const play = new RtmpPlay({ gate, router, context, chunkSize: config.rtmp.chunkSize });
  const handlers: RtmpHandlers = {
    publish: (request, control) => publish.publish(request, control),
    play: (request) => play.play(request),
  };
  const rtmp = new RtmpServer({ handlers, log, ...rtmpOptions(config) });
  const rtmps = await makeRtmps(config, handlers, log);
  return { config, clock, gate, router, hls, http, rtmp, rtmps, loops: [] };
}

function rtmpOptions({ rtmp, publish }: Config) {
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

async function makeRtmps(config: Config, handlers: RtmpHandlers, log: Logger): Promise<RtmpServer | undefined> {
  const { certFile, keyFile } = config.rtmps;
  if (certFile === undefined || keyFile === undefined) return undefined;
  const tls = { cert: await readNamed('rtmps.certFile', certFile), key: await readNamed('rtmps.keyFile', keyFile) };
  try {
    return new RtmpServer({ handlers, log, tls, ...rtmpOptions(config) });
  } catch (error) {
    throw new StartError(`rtmps.certFile ${certFile} and rtmps.keyFile ${keyFile} are no pair: ${String(error)}`);
  }
}

async function readNamed(key: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new StartError(`${key} ${file} can't be read: ${String(error)}`);
  }
}

/** The built pages are a package of their own. */
function pagesDirectory(): string {
  const manifest = createRequire(import.meta.url).resolve('@sluice/web-player/package.json');
  return join(dirname(manifest), 'dist');
}

async function openDoors(parts: ServerParts, config: Config): Promise<ListeningPorts> {
  const { rtmp, rtmps, http } = parts;
  const rtmpAddress = await open('rtmp', config.rtmp, () => rtmp.listen(config.rtmp.port, config.rtmp.host));
  const rtmpsAddress =
    rtmps && (await open('rtmps', config.rtmps, () => rtmps.listen(config.rtmps.port, config.rtmps.host)));
  const httpAddress = await open('http', config.http, () => http.listen(config.http.port, config.http.host));
  return { rtmp: rtmpAddress.port, rtmps: rtmpsAddress?.port, http: httpAddress.port };
}

async function open(
  section: 'rtmp' | 'rtmps' | 'http',
  { host, port }: { host: string; port: number },
  listen: () => Promise<AddressInfo>,
): Promise<AddressInfo> {
  try {
    return await listen();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const variable = `SLUICE_${section.toUpperCase()}`;
    if (code === 'EADDRINUSE') {
      throw new StartError(
        `${section}.port ${port} is taken by another program. End it, or set another port: ${variable}_PORT=…`,
      );
    }
    if (code === 'EACCES') {
      throw new StartError(
        `${section}.port ${port} is not allowed for this user. Set one above 1023: ${variable}_PORT=…`,
      );
    }
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAFNOSUPPORT') {
      throw new StartError(`${section}.host ${host} is no address of this machine. Set another: ${variable}_HOST=…`);
    }
    throw new StartError(`${section}.port ${port} on ${host} can't be opened: ${message}`);
  }
}

/** In reverse: streams end, so viewers are let go; then the doors close; what hasn't gone by then is cut. */
async function closeParts(parts: ServerParts, patienceMs: number): Promise<void> {
  for (const loop of parts.loops) loop.stop(GOING_DOWN);
  const doors = [parts.http.close(), parts.rtmp.close(GOING_DOWN)];
  if (parts.rtmps !== undefined) doors.push(parts.rtmps.close(GOING_DOWN));
  parts.router.close(GOING_DOWN);
  parts.hls.close(GOING_DOWN);
  const cut = setTimeout(() => parts.http.closeAll(), patienceMs);
  await Promise.all(doors);
  clearTimeout(cut);
}
