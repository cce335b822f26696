import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FromWorker, Publishers, type RelayOutput, type ToWorker } from '@sluice/cluster';
import {
  type ClusterWorker,
  type Doorkeeper,
  type Drain,
  type EventBus,
  type LiveConfig,
  type Logger,
  type OutputKind,
  type Place,
  type RenditionDirectory,
  type RenditionInfo,
  renditionOf,
  type StreamPath,
  type StreamRouter,
} from '@sluice/core';
import type { RtmpHandOver } from '@sluice/rtmp';
import type { Certificate, TlsFiles } from '../certificate.js';
import { FrontDoor } from './front-door.js';
import type { DoorName } from './handed-socket.js';
import { PastStreams } from './past-streams.js';
import { leastBusy } from './placement.js';
import { workersOf } from './worker-count.js';
import { WorkerProcess } from './worker-process.js';

export interface WorkerPoolOptions {
  readonly live: LiveConfig;
  readonly events: EventBus;
  readonly gate: Doorkeeper;
  readonly router: StreamRouter;
  readonly renditions: RenditionDirectory;
  readonly certificate: Certificate | undefined;
  /** The same as for other nodes, so that each stream is packed once. */
  readonly relay: OutputKind<RelayOutput>;
  readonly drain: Pick<Drain, 'isOn'>;
  /** Where viewers are sent while the server is drained. */
  readonly places: () => readonly Place[];
  readonly log: Logger;
}

/** A worker as those see it who watch over the server. */
export interface WorkerStatus extends ClusterWorker {
  readonly connections: number;
  /** CPU time since it began. */
  readonly cpuSeconds: number;
}

/** One place in the pool, whoever has it. */
interface Slot {
  readonly id: number;
  process: WorkerProcess | undefined;
  restarts: number;
  /** In a row, without having lasted. */
  failures: number;
  timer: NodeJS.Timeout | undefined;
}

/** A worker that has lasted so long is begun again at once. */
const LASTING_MS = 60_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;
const TELL_MS = 1000;
/** So long are doors kept shut for workers that are not there yet. */
const START_PATIENCE_MS = 5000;
/** The processes that serve viewers, and the doors in front of them. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #slots: readonly Slot[];
  readonly #publishers: Publishers;
  readonly #past: PastStreams;
  readonly #doors: FrontDoor[] = [];
  readonly #stopListening: readonly (() => void)[];
  readonly #timer: NodeJS.Timeout;
  /** Of each path, the last that was told. */
  readonly #segments = new Map<StreamPath, number>();
  /** As workers were told last, as JSON. */
  readonly #renditions = new Map<StreamPath, string>();
  #directory: string | undefined;
  #stopping = false;
  #whenReady: (() => void) | undefined;

  private constructor(options: WorkerPoolOptions, size: number) {
    this.#options = options;
    const { live, events, certificate } = options;
    this.#slots = Array.from({ length: size }, (_, at): Slot => {
      return { id: at + 1, process: undefined, restarts: 0, failures: 0, timer: undefined };
    });
    this.#publishers = new Publishers(events);
    this.#past = new PastStreams(live);
    certificate?.onChange((next) => this.#tell({ type: 'certificate', certificate: pem(next) }));
    this.#stopListening = [
      live.onChange(() => this.#tell({ type: 'config', config: live.current })),
      events.on('stream-started', ({ path }) => this.#tell({ type: 'live', path })),
      events.on('stream-ended', ({ path }) => {
        this.#segments.delete(path);
        this.#renditions.delete(path);
        this.#tell({ type: 'over', path });
      }),
    ];
    this.#timer = setInterval(() => this.#tellNews(), TELL_MS);
    this.#timer.unref();
  }

  /** @returns undefined where the configuration wants none */
  static of(options: WorkerPoolOptions): WorkerPool | undefined {
    const size = workersOf(options.live.current);
    return size === 0 ? undefined : new WorkerPool(options, size);
  }

  /** Where the process listens that answers what workers can't. Made when it is first asked for. */
  async requestSocket(): Promise<string> {
    this.#directory ??= await mkdtemp(join(tmpdir(), 'sluice-workers-'));
    return join(this.#directory, 'main.sock');
  }

  /** A door whose connections are handed to workers, in place of the process's own. */
  inFrontOf(
    door: DoorName,
    own: { accept(socket: Socket): void },
  ): { listen(port: number, host: string): Promise<AddressInfo> } {
    const { live, log } = this.#options;
    const { http, rtmp } = live.current;
    const limits =
      door === 'http' || door === 'https'
        ? { maxConnections: http.maxConnections, maxConnectionsPerIp: http.maxConnections }
        : { maxConnections: rtmp.maxConnections, maxConnectionsPerIp: rtmp.maxConnectionsPerIp };
    const front = new FrontDoor({ door, workers: () => this.#takers(), own, past: this.#past, ...limits, log });
    this.#doors.push(front);
    return front;
  }

  /** Takes players that have come in over RTMP. */
  readonly takePlayer: RtmpHandOver = (socket, received, gone) => {
    const worker = leastBusy(this.#takers());
    worker?.hand('rtmp', socket, received, gone);
    return worker !== undefined;
  };

  /** Starts the workers. Resolves when they are there, or have had time enough. */
  async start(): Promise<void> {
    const socket = await this.requestSocket();
    const ready = new Promise<void>((resolve) => {
      this.#whenReady = resolve;
    });
    for (const slot of this.#slots) this.#begin(slot, socket);
    const timer = setTimeout(() => this.#whenReady?.(), START_PATIENCE_MS);
    await ready;
    clearTimeout(timer);
    this.#whenReady = undefined;
    this.#options.log.info({ workers: this.#ready().length }, 'workers serve viewers');
  }

  get status(): WorkerStatus[] {
    return this.#slots.map(({ id, process, restarts }) => ({
      id,
      pid: process?.pid,
      state: process?.state ?? 'gone',
      sessions: process?.sessions ?? 0,
      connections: process?.connections ?? 0,
      cpu: process?.usage.cpu ?? 0,
      cpuSeconds: process?.usage.cpuSeconds ?? 0,
      memoryBytes: process?.usage.memoryBytes ?? 0,
      restarts,
    }));
  }

  /** Stops listening, and ends the workers: politely as long as patience lasts. */
  async close(reason: string, patienceMs: number): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#timer);
    for (const stop of this.#stopListening) stop();
    for (const door of this.#doors) door.close();
    for (const { timer } of this.#slots) clearTimeout(timer);
    await Promise.all(this.#slots.map(({ process }) => process?.stop(reason, patienceMs)));
    this.#publishers.close();
    if (this.#directory !== undefined) await rm(this.#directory, { recursive: true, force: true });
  }

  #ready(): WorkerProcess[] {
    return this.#slots.flatMap(({ process }) => (process?.state === 'ready' ? process : []));
  }

  /** Who takes new connections. While the server is drained, this process sends them all away itself. */
  #takers(): WorkerProcess[] {
    return this.#options.drain.isOn ? [] : this.#ready();
  }

  #begin(slot: Slot, requestSocket: string): void {
    const { gate, router, events, renditions, live, certificate, log } = this.#options;
    const beganAt = performance.now();
    slot.process = new WorkerProcess({
      id: slot.id,
      ...{ gate, router, events, log },
      publishers: this.#publishers,
      kind: this.#options.relay,
      canFetch: (path) => this.#canFetch(path),
      wantRendition: (path) => renditions.want(path),
      onSegment: (message) => this.#noteSegment(message),
      start: () => ({
        type: 'start',
        worker: slot.id,
        workers: this.#slots.length,
        config: live.current,
        certificate: certificate && pem(certificate.current),
        requestSocket,
        live: this.#publishers.paths(),
      }),
      onRelay: (worker, path) => worker.send({ type: 'renditions', of: [[path, renditions.renditionsOf(path)]] }),
      onReady: () => {
        if (this.#ready().length === this.#slots.length) this.#whenReady?.();
      },
      onExit: (reason) => this.#exited(slot, reason, performance.now() - beganAt, requestSocket),
    });
  }

  #exited(slot: Slot, reason: string, lastedMs: number, requestSocket: string): void {
    if (this.#stopping) return;
    slot.failures = lastedMs > LASTING_MS ? 0 : slot.failures + 1;
    const pauseMs = slot.failures <= 1 ? 0 : Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** slot.failures);
    const fields = { worker: slot.id, pid: slot.process?.pid, reason, pauseMs, restarts: slot.restarts };
    this.#options.log.error(fields, 'a worker is gone, and with it the connections that it had; it is begun again');
    slot.restarts += 1;
    slot.timer = setTimeout(() => this.#begin(slot, requestSocket), pauseMs);
  }

  #canFetch(path: StreamPath): boolean {
    const { router, live } = this.#options;
    if (router.find(path) !== undefined || router.canFetch(path)) return true;
    const source = renditionOf(live.current, path)?.source;
    return source !== undefined && router.find(source) !== undefined;
  }

  /** Each worker makes its own segments, with the same numbers; they are told of once. */
  #noteSegment({ segment }: FromWorker & { type: 'segment' }): void {
    const { path, sequence } = segment;
    if (sequence <= (this.#segments.get(path) ?? -1)) return;
    this.#segments.set(path, sequence);
    this.#options.events.emit('hls-segment', segment);
  }

  #tellNews(): void {
    const { drain, places } = this.#options;
    if (drain.isOn) this.#tell({ type: 'draining', places: places() });
    this.#tellRenditions();
  }

  #tellRenditions(): void {
    const of: [StreamPath, readonly RenditionInfo[]][] = [];
    for (const { path } of this.#options.router.streams()) {
      const renditions = this.#options.renditions.renditionsOf(path);
      const text = JSON.stringify(renditions);
      if (text === (this.#renditions.get(path) ?? '[]')) continue;
      this.#renditions.set(path, text);
      of.push([path, renditions]);
    }
    if (of.length > 0) this.#tell({ type: 'renditions', of });
  }

  #tell(message: ToWorker): void {
    for (const { process } of this.#slots) if (process?.state !== 'gone') process?.send(message);
  }
}

function pem({ cert, key }: TlsFiles) {
  return { cert: cert.toString(), key: key.toString() };
}
