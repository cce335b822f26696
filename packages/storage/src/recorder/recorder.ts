import { randomBytes } from 'node:crypto';
import {
  type ActiveRecording,
  type Clock,
  type EventBus,
  type LiveConfig,
  type Logger,
  type OutputKind,
  type RecordingContainer,
  type RecordingControl,
  type RecordingIndex,
  Refusal,
  type Stream,
  type StreamPath,
  type StreamRouter,
  settingsFor,
} from '@sluice/core';
import { Finishing } from './finishing.js';
import { CONTAINER_FORMATS } from './muxers/formats.js';
import { Recording } from './recording.js';
import type { RecordingFiles } from './recording-files.js';
import { RecordingOutput, type RecordingSettings } from './recording-output.js';
import { strayFiles, unfinishedRows } from './unfinished.js';

export interface RecorderOptions {
  readonly live: LiveConfig;
  readonly router: StreamRouter;
  readonly events: EventBus;
  readonly clock: Clock;
  readonly files: RecordingFiles;
  readonly index: RecordingIndex;
  readonly log: Logger;
}

interface Running {
  readonly recording: Recording;
  readonly output: RecordingOutput;
}

/** How often it is looked for media that has waited for long enough; `flushSeconds` is half a second at the least. */
const TICK_MS = 100;
/** For files under way, when the server goes down. */
const PATIENCE_MS = 5000;

/** Records streams: those that the configuration names, and those that somebody asks for. */
export class Recorder implements RecordingControl {
  readonly #options: RecorderOptions;
  readonly #running = new Map<string, Running>();
  /** Streams that are recorded by configuration no more, since somebody has ended it. */
  readonly #stopped = new Set<StreamPath>();
  readonly #finishing: Finishing;
  readonly #stopListening: readonly (() => void)[];
  readonly #timer: NodeJS.Timeout;

  constructor(options: RecorderOptions) {
    this.#options = options;
    const { events, live } = options;
    this.#finishing = new Finishing(options);
    this.#stopListening = [
      events.on('stream-started', ({ path }) => this.#follow(path)),
      events.on('stream-resumed', ({ path }) => this.#follow(path)),
      events.on('stream-ended', ({ path }) => this.#stopped.delete(path)),
      live.onChange(() => {
        for (const { path } of options.router.streams()) this.#follow(path);
      }),
    ];
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  get active(): readonly ActiveRecording[] {
    return [...this.#running.values()].map(({ recording }) => recording.status);
  }

  /**
   * Makes whole what a crash has left, which takes as long as it takes. Resolves when it is known what was left, before
   * which nothing may be recorded.
   */
  async open(): Promise<void> {
    const rows = await unfinishedRows(this.#options.index);
    const before = this.#options.clock.wall();
    if (rows.length > 0)
      this.#options.log.warn({ files: rows.length }, 'recorded files are finished that a crash left');
    this.#finishing.repair(() => Promise.resolve(rows));
    this.#finishing.repair(() => strayFiles({ ...this.#options, before, isInWork: (file) => this.isInWork(file) }));
  }

  start(path: StreamPath, { container }: { readonly container?: RecordingContainer | undefined }): ActiveRecording {
    const stream = this.#options.router.find(path);
    if (stream === undefined) throw new Refusal('not-live', `nobody publishes ${path}`);
    const wanted = container ?? this.#settingsOf(path).container;
    if (this.#find(path, ({ recording }) => recording.container === wanted) !== undefined) {
      throw new Refusal('busy', `${path} is recorded as ${wanted} already; stop that first, or split it`);
    }
    return this.#begin(stream, wanted, 'api').status;
  }

  stop(id: string): boolean {
    const running = this.#running.get(id);
    if (running === undefined) return false;
    const { path, startedBy } = running.recording;
    if (startedBy === 'configuration') this.#stopped.add(path);
    this.#end(running, 'stopped');
    return true;
  }

  split(id: string): boolean {
    const running = this.#running.get(id);
    running?.output.split();
    return running !== undefined;
  }

  /** Whether a file grows, or is being finished. @param file under the recording root */
  isInWork(file: string): boolean {
    if (this.#finishing.isAt(file)) return true;
    return [...this.#running.values()].some(({ recording }) => recording.file === file);
  }

  /** Ends all recordings. Resolves when their files are whole, or have to be left to the next start. */
  async close(reason: string): Promise<void> {
    for (const stop of this.#stopListening) stop();
    clearInterval(this.#timer);
    for (const running of [...this.#running.values()]) this.#end(running, reason);
    await this.#finishing.close(PATIENCE_MS);
  }

  #settingsOf(path: StreamPath): RecordingSettings {
    return settingsFor(this.#options.live.current, path).recording;
  }

  #find(path: StreamPath, fits: (running: Running) => boolean): Running | undefined {
    return [...this.#running.values()].find((running) => running.recording.path === path && fits(running));
  }

  /** Begins or ends what the configuration wants of a stream. */
  #follow(path: StreamPath): void {
    const stream = this.#options.router.find(path);
    if (stream === undefined) return;
    const { enabled: isWanted, container } = this.#settingsOf(path);
    // A stream of a cluster is recorded where it comes in, and not wherever it is watched.
    const enabled = isWanted && this.#options.router.publisherOf(path)?.node === undefined;
    if (!enabled) this.#stopped.delete(path);
    const configured = this.#find(path, ({ recording }) => recording.startedBy === 'configuration');
    if (configured !== undefined && (!enabled || configured.recording.container !== container)) {
      this.#end(configured, isWanted && !enabled ? 'another node has the stream' : 'the configuration has changed');
    }
    if (!enabled || this.#stopped.has(path)) return;
    if (this.#find(path, ({ recording }) => recording.container === container) !== undefined) return;
    this.#begin(stream, container, 'configuration');
  }

  #begin(stream: Stream, container: RecordingContainer, startedBy: ActiveRecording['startedBy']): Recording {
    const { path } = stream;
    const { events, clock, log } = this.#options;
    const settings = () => this.#settingsOf(path);
    const recording = new Recording({
      ...this.#options,
      ...{ id: newId(), path, container, startedBy, settings, newId },
      isLive: () => stream.state === 'live',
      finishing: this.#finishing,
    });
    const end = (reason: string) => {
      const running = this.#running.get(recording.id);
      if (running !== undefined) this.#end(running, reason);
    };
    const kind: OutputKind<RecordingOutput> = {
      name: `recording-${container}`,
      create: (source) => {
        const format = CONTAINER_FORMATS[container];
        const output = new RecordingOutput({ source, format, settings, sink: recording, clock, onEnd: end });
        this.#running.set(recording.id, { recording, output });
        return output;
      },
    };
    log.info({ recording: recording.id, path, container, startedBy }, 'recording starts');
    stream.output(kind);
    events.emit('recording-started', { recording: recording.status });
    return recording;
  }

  #end({ recording, output }: Running, reason: string): void {
    if (!this.#running.delete(recording.id)) return;
    output.finish();
    recording.ended(reason);
  }

  #tick(): void {
    const now = this.#options.clock.monotonic();
    for (const { output } of this.#running.values()) output.sweep(now);
  }
}

const newId = (): string => randomBytes(8).toString('hex');
