import { type Millis, millis } from '@sluice/media';
import type { Clock } from '../clock.js';
import { BatchLog, type BatchLogLimits, type JoinBytes } from './batch-log.js';
import type { Flushable, FlushScheduler } from './flush-scheduler.js';
import { Viewer, type ViewerEnd, type ViewerLimits, type ViewerSocket } from './viewer.js';

/** Where a viewer may begin, as its packager knows it. */
export type JoinPoint =
  /** Here, and nowhere between here and the next one: a video keyframe. */
  | 'keyframe'
  /** Anywhere: the stream has no video. */
  | 'anywhere'
  /** Not here. */
  | 'none';

export interface FanOutOptions {
  readonly clock: Clock;
  readonly scheduler: FlushScheduler;
  readonly log: BatchLogLimits;
  readonly viewers: ViewerLimits;
  /** Turns units into the bytes of one batch: by default it joins them; WebSocket puts a frame around them. */
  readonly envelope?: (units: readonly Buffer[]) => Buffer;
}

/** A stream without video has no GOP to begin with; a new viewer gets this much of the past to fill its buffer. */
const AUDIO_ONLY_BACKLOG = millis(1000);

const NO_BYTES: JoinBytes = { header: Buffer.alloc(0), configs: Buffer.alloc(0) };

const joinUnits = (units: readonly Buffer[]): Buffer =>
  units.length === 1 && units[0] !== undefined ? units[0] : Buffer.concat(units);

/**
 * One output's way to its viewers. Units (FLV tags, RTMP chunks) are gathered into batches; each flush writes the new
 * batches to every viewer, all from the same memory.
 */
export class FanOut implements Flushable {
  readonly #clock: Clock;
  readonly #scheduler: FlushScheduler;
  readonly #limits: ViewerLimits;
  readonly #envelope: (units: readonly Buffer[]) => Buffer;
  readonly #log: BatchLog;
  readonly #viewers = new Set<Viewer>();
  #units: Buffer[] = [];
  #joinable = false;
  #everyBatchJoins = false;
  #join = NO_BYTES;
  #emptySince: Millis | undefined;

  constructor(options: FanOutOptions) {
    this.#clock = options.clock;
    this.#scheduler = options.scheduler;
    this.#limits = options.viewers;
    this.#envelope = options.envelope ?? joinUnits;
    this.#log = new BatchLog(options.log);
    this.#emptySince = this.#clock.monotonic();
  }

  get size(): number {
    return this.#viewers.size;
  }

  /** Since when there has been no viewer; undefined while there is one. */
  get emptySince(): Millis | undefined {
    return this.#emptySince;
  }

  /** What viewers that join from here on get first. */
  setJoin(header: Buffer, configs: Buffer): void {
    this.#seal();
    const wrap = (bytes: Buffer) => (bytes.length === 0 ? bytes : this.#envelope([bytes]));
    this.#join = { header: wrap(header), configs: wrap(configs) };
  }

  /** @param urgent whether it is worth a write of its own: a picture, or anything where there are no pictures */
  append(unit: Buffer, joinPoint: JoinPoint, urgent: boolean): void {
    if (joinPoint === 'keyframe') this.#seal();
    if (this.#units.length === 0) {
      this.#joinable = joinPoint !== 'none';
      this.#everyBatchJoins = joinPoint === 'anywhere';
    }
    this.#units.push(unit);
    this.#scheduler.request(this, urgent);
  }

  flush(now: Millis): void {
    this.#seal();
    for (const viewer of this.#viewers) viewer.pump(now);
  }

  /**
   * Adds a viewer and writes the current GOP to it at once.
   *
   * @param onEnd called, at most once, when the viewer has to go; it is detached by then
   */
  attach(socket: ViewerSocket, onEnd: (end: ViewerEnd) => void): Viewer {
    this.#seal();
    const viewer = new Viewer({
      socket,
      log: this.#log,
      limits: this.#limits,
      now: this.#clock.monotonic,
      onEnd: (end) => {
        this.#remove(viewer);
        onEnd(end);
      },
    });
    this.#viewers.add(viewer);
    this.#emptySince = undefined;
    viewer.start(this.#joinNumber());
    return viewer;
  }

  /** Removes a viewer whose socket is gone or is its owner's business. */
  detach(viewer: Viewer): void {
    viewer.detach();
    this.#remove(viewer);
  }

  /** The stream is over: writes what is left and lets all viewers go. */
  end(reason: string): void {
    this.flush(this.#clock.monotonic());
    for (const viewer of this.#viewers) viewer.end({ clean: true, reason });
  }

  sweep(now: Millis): void {
    for (const viewer of this.#viewers) viewer.sweep(now);
  }

  #remove(viewer: Viewer): void {
    if (this.#viewers.delete(viewer) && this.#viewers.size === 0) this.#emptySince = this.#clock.monotonic();
  }

  #joinNumber(): number | undefined {
    if (!this.#everyBatchJoins) return this.#log.newestJoin;
    return this.#log.oldestJoinSince(millis(this.#clock.monotonic() - AUDIO_ONLY_BACKLOG));
  }

  #seal(): void {
    if (this.#units.length === 0) return;
    this.#log.push({
      bytes: this.#envelope(this.#units),
      joinable: this.#joinable,
      join: this.#join,
      sealedAt: this.#clock.monotonic(),
    });
    this.#units = [];
  }
}
