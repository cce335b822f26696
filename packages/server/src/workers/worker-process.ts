import { type ChildProcess, fork } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import {
  DoorService,
  type FromWorker,
  Line,
  type Publishers,
  PublishService,
  type RelayOutput,
  RelayService,
  type ToWorker,
  type WorkerUsage,
} from '@sluice/cluster';
import type { Doorkeeper, EventBus, Logger, OutputKind, StreamPath, StreamRouter } from '@sluice/core';
import { NODE_FLAGS } from '../node-flags.js';
import { stopReading } from './first-line.js';
import type { DoorName, HandedSocket } from './handed-socket.js';

/** Built: node can't run the source. */
const WORKER = fileURLToPath(new URL('../../dist/worker/main.js', import.meta.url));
/** Where the line is among a worker's file descriptors. */
const LINE = 4;
/** A worker tells what it uses each second; one that says nothing for so long hangs. */
const SILENCE_MS = 30_000;
const CHECK_MS = 5000;
/** For its last words, beyond the time that connections have. */
const EXIT_MS = 2000;

export interface WorkerProcessOptions {
  readonly id: number;
  readonly gate: Doorkeeper;
  readonly router: StreamRouter;
  readonly events: EventBus;
  readonly publishers: Publishers;
  readonly kind: OutputKind<RelayOutput>;
  readonly canFetch: (path: StreamPath) => boolean;
  readonly wantRendition: (path: StreamPath) => void;
  readonly onSegment: (message: FromWorker & { type: 'segment' }) => void;
  /** What it begins with. */
  readonly start: () => ToWorker & { type: 'start' };
  readonly onRelay: (worker: WorkerProcess, path: StreamPath) => void;
  readonly onReady: () => void;
  /** Called once, when all that it had is closed. */
  readonly onExit: (reason: string) => void;
  readonly log: Logger;
}

/** How a worker stands. */
export type WorkerState = 'starting' | 'ready' | 'stopping' | 'gone';

/** A worker: its process, the line to it, and what it has of this process's. */
export class WorkerProcess {
  readonly id: number;
  readonly #options: WorkerProcessOptions;
  readonly #child: ChildProcess;
  readonly #line: Line<ToWorker, FromWorker>;
  readonly #doors: DoorService;
  readonly #relays: RelayService;
  readonly #publications: PublishService;
  /** Called when a connection that it was handed is gone. */
  readonly #handed = new Map<number, () => void>();
  /** Sockets that node still holds for it. */
  readonly #onTheWay = new Set<Socket>();
  readonly #watch: NodeJS.Timeout;
  readonly #exited: Promise<void>;
  #state: WorkerState = 'starting';
  #heardAt = performance.now();
  #usage: WorkerUsage = { cpu: 0, cpuSeconds: 0, memoryBytes: 0 };
  #lastSocket = 0;

  constructor(options: WorkerProcessOptions) {
    const { id, gate, router, publishers, kind } = options;
    this.id = id;
    this.#options = options;
    this.#child = fork(WORKER, [], {
      execArgv: [...NODE_FLAGS],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', 'pipe'],
    });
    this.#line = new Line<ToWorker, FromWorker>({
      socket: this.#child.stdio[LINE] as Duplex,
      onMessage: (message) => this.#receive(message),
      onFrame: (frame) => this.#publications.frame(frame),
      onClose: (reason) => this.#end(reason),
    });
    const send = (message: ToWorker) => this.#line.send(message);
    this.#publications = new PublishService({ router });
    this.#doors = new DoorService({
      gate,
      send,
      canFetch: options.canFetch,
      publish: (session, stream, control) => this.#publications.publish(session, stream, control),
    });
    this.#relays = new RelayService({
      router,
      kind,
      line: this.#line,
      publisherOf: (path) => publishers.of(path),
      viewer: (session) => this.#doors.session(session),
      onRelay: (path) => options.onRelay(this, path),
    });
    this.#exited = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        this.#end(signal === null ? `it ended with code ${code}` : `it was ended by ${signal}`);
        resolve();
      });
    });
    this.#child.on('error', (error) => this.#end(`it could not be started: ${error.message}`));
    this.#watch = setInterval(() => this.#check(), CHECK_MS);
    this.#watch.unref();
    send(options.start());
  }

  get state(): WorkerState {
    return this.#state;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get connections(): number {
    return this.#handed.size;
  }

  get sessions(): number {
    return this.#doors.sessions;
  }

  get usage(): WorkerUsage {
    return this.#usage;
  }

  send(message: ToWorker): void {
    this.#line.send(message);
  }

  /**
   * Gives it a connection, which this process has nothing more to do with.
   *
   * @param head what has been read of it
   * @param gone called when the connection has ended
   */
  hand(door: DoorName, socket: Socket, head: Buffer | undefined, gone: () => void): void {
    this.#lastSocket += 1;
    const id = this.#lastSocket;
    const handed: HandedSocket = { id, door, head: head?.toString('base64') };
    this.#handed.set(id, gone);
    this.#onTheWay.add(socket);
    stopReading(socket);
    socket.on('error', () => socket.destroy());
    this.#child.send(handed, socket, {}, (error) => {
      this.#onTheWay.delete(socket);
      if (error === null) return;
      socket.destroy();
      this.#forget(id);
    });
  }

  /** Ends it: politely as long as patience lasts. Resolves when the process is gone. */
  async stop(reason: string, patienceMs: number): Promise<void> {
    if (this.#state !== 'gone') {
      this.#state = 'stopping';
      this.#line.send({ type: 'stop', reason, patienceMs });
    }
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), patienceMs + EXIT_MS);
    await this.#exited;
    clearTimeout(kill);
  }

  #receive(message: FromWorker): void {
    this.#heardAt = performance.now();
    switch (message.type) {
      case 'ready':
        if (this.#state === 'starting') this.#state = 'ready';
        this.#options.onReady();
        break;
      case 'question':
      case 'session-closed':
      case 'traffic':
        this.#doors.take(message);
        break;
      case 'watch':
      case 'unwatch':
      case 'viewers':
      case 'keyframe':
        this.#relays.take(message);
        break;
      case 'want-rendition':
        this.#options.wantRendition(message.path);
        break;
      case 'segment':
        this.#options.onSegment(message);
        break;
      case 'log':
        this.#options.log[message.level]({ ...message.fields, worker: this.id }, message.message);
        break;
      case 'connections-closed':
        for (const id of message.ids) this.#forget(id);
        break;
      case 'usage':
        this.#usage = message;
        break;
    }
  }

  #forget(id: number): void {
    const gone = this.#handed.get(id);
    this.#handed.delete(id);
    gone?.();
  }

  #check(): void {
    const silence = performance.now() - this.#heardAt;
    if (silence < SILENCE_MS) return;
    this.#end(`it has said nothing for ${Math.round(silence / 1000)} s`);
  }

  #end(reason: string): void {
    if (this.#state === 'gone') return;
    const wasStopping = this.#state === 'stopping';
    this.#state = 'gone';
    clearInterval(this.#watch);
    this.#line.close(reason);
    this.#child.kill('SIGKILL');
    const told = wasStopping ? 'the server is going down' : `worker ${this.id} is gone: ${reason}`;
    this.#relays.close();
    this.#publications.close(told);
    this.#doors.close(told);
    for (const socket of this.#onTheWay) socket.destroy();
    for (const id of [...this.#handed.keys()]) this.#forget(id);
    this.#options.onExit(reason);
  }
}
