import type { Millis } from '@sluice/media';
import type { BatchLog, JoinBytes } from './batch-log.js';

/** The part of a `net.Socket` (or `tls.TLSSocket`) that fan-out writes to. */
export interface ViewerSocket {
  write(bytes: Buffer): boolean;
  readonly writableLength: number;
  cork(): void;
  uncork(): void;
  on(event: 'drain', listener: () => void): unknown;
  off(event: 'drain', listener: () => void): unknown;
}

export interface ViewerLimits {
  /** A viewer that lags more than this is moved on to the newest keyframe. */
  readonly maxLag: Millis;
  /** A viewer whose socket took nothing for this long is evicted. */
  readonly maxStall: Millis;
  /** More moves to a keyframe than this, each within `skipWindow` of the one before, and the viewer is evicted. */
  readonly maxSkips: number;
  readonly skipWindow: Millis;
}

/** Why a viewer has to go. Its owner then ends the socket: politely if `clean`, at once if not. */
export interface ViewerEnd {
  readonly clean: boolean;
  readonly reason: string;
}

/** How a viewer's cursor stands to the log. */
type ViewerState =
  /** Waits for a batch that it can begin with. */
  | 'joining'
  /** Gets each batch as it is flushed. */
  | 'playing'
  /** The socket is full; goes on when it has drained. */
  | 'blocked'
  /** Detached; nothing more is written. */
  | 'gone';

/** A catching-up viewer is given this much before its socket is looked at again, so that a dead one pins little. */
const CATCH_UP_BYTES = 256 * 1024;

/**
 * One viewer of an output: a cursor into the batch log and a socket. What waits to be written is the log's shared
 * batches, never a queue of its own, so a slow viewer costs next to no memory.
 */
export class Viewer {
  readonly #socket: ViewerSocket;
  readonly #log: BatchLog;
  readonly #limits: ViewerLimits;
  readonly #now: () => Millis;
  readonly #onEnd: (end: ViewerEnd) => void;
  readonly #drained = (): void => this.#resume();
  #state: ViewerState = 'joining';
  #cursor = 0;
  #lastJoin: JoinBytes | undefined;
  #blockedSince = 0;
  #skips = 0;
  #recentSkips = 0;
  #lastSkip = Number.NEGATIVE_INFINITY;
  #bytesSent = 0;

  /** @param options.onEnd called at most once, when the viewer has to go; it is detached by then */
  constructor(options: {
    socket: ViewerSocket;
    log: BatchLog;
    limits: ViewerLimits;
    now: () => Millis;
    onEnd: (end: ViewerEnd) => void;
  }) {
    this.#socket = options.socket;
    this.#log = options.log;
    this.#limits = options.limits;
    this.#now = options.now;
    this.#onEnd = options.onEnd;
    this.#socket.on('drain', this.#drained);
  }

  get bytesSent(): number {
    return this.#bytesSent;
  }

  /** How often it was moved on to a keyframe because it lagged. */
  get skips(): number {
    return this.#skips;
  }

  /** Begins at the batch of that number, or at the next joinable one to come. */
  start(at: number | undefined): void {
    this.#cursor = at ?? this.#log.end;
    this.pump(this.#now());
  }

  /** Writes what there is between the cursor and the log's end. The hot path: no closures, no copies. */
  pump(now: Millis): void {
    if (this.#state === 'blocked' || this.#state === 'gone') return;
    const log = this.#log;
    if (this.#cursor < log.first && !this.#skip(now)) return;
    if (this.#state === 'joining' && !this.#join()) return;
    const end = log.end;
    if (end - this.#cursor === 1) {
      const batch = log.at(this.#cursor++);
      if (batch === undefined) return;
      this.#bytesSent += batch.bytes.length;
      if (!this.#socket.write(batch.bytes)) this.#checkFlow(now);
      return;
    }
    while (this.#cursor < end && this.#state === 'playing') this.#writeRun(end, now);
  }

  /** Looks at what only time can tell. Called about once a second. */
  sweep(now: Millis): void {
    if (this.#state !== 'blocked') return;
    const stalled = now - this.#blockedSince;
    if (stalled > this.#limits.maxStall) {
      this.end({ clean: false, reason: `stalled: the viewer has read nothing for ${Math.round(stalled / 1000)} s` });
    }
  }

  /** Detaches the viewer and tells its owner why. */
  end(end: ViewerEnd): void {
    if (this.#state === 'gone') return;
    this.detach();
    this.#onEnd(end);
  }

  /** Forgets the socket, which stays its owner's. */
  detach(): void {
    this.#state = 'gone';
    this.#socket.off('drain', this.#drained);
  }

  /** Several batches in one system call. */
  #writeRun(end: number, now: Millis): void {
    const socket = this.#socket;
    let flowing = true;
    let written = 0;
    socket.cork();
    while (this.#cursor < end && written < CATCH_UP_BYTES) {
      const batch = this.#log.at(this.#cursor++);
      if (batch === undefined) break;
      written += batch.bytes.length;
      flowing = socket.write(batch.bytes) && flowing;
    }
    socket.uncork();
    this.#bytesSent += written;
    if (!flowing) this.#checkFlow(now);
  }

  /** After a `write` that returned false: if the kernel took all of it nonetheless, there is nothing to wait for. */
  #checkFlow(now: Millis): void {
    if (this.#socket.writableLength === 0) return;
    this.#state = 'blocked';
    this.#blockedSince = now;
  }

  #resume(): void {
    if (this.#state !== 'blocked') return;
    this.#state = 'playing';
    const now = this.#now();
    const next = this.#log.at(this.#cursor);
    if (next !== undefined && now - next.sealedAt > this.#limits.maxLag && !this.#skip(now)) return;
    this.pump(now);
  }

  /** Moves the cursor to the newest keyframe. False if the viewer had to be evicted for needing it too often. */
  #skip(now: Millis): boolean {
    const log = this.#log;
    const target = log.newestJoin ?? log.end;
    const lost = this.#cursor < log.first;
    if (!lost && (log.newestJoin === undefined || target <= this.#cursor)) return true;
    this.#cursor = target;
    if (this.#state === 'joining') return true;
    this.#state = 'joining';
    this.#skips += 1;
    this.#recentSkips = now - this.#lastSkip > this.#limits.skipWindow ? 1 : this.#recentSkips + 1;
    this.#lastSkip = now;
    if (this.#recentSkips <= this.#limits.maxSkips) return true;
    this.end({ clean: false, reason: `too slow: fell behind the stream ${this.#recentSkips} times in a row` });
    return false;
  }

  /** On to a joinable batch, and what a decoder needs before it. False while there is none. */
  #join(): boolean {
    const log = this.#log;
    let batch = log.at(this.#cursor);
    while (batch !== undefined && !batch.joinable) batch = log.at(++this.#cursor);
    if (batch === undefined) return false;
    const { join } = batch;
    if (this.#lastJoin === undefined) this.#write(join.header);
    if (this.#lastJoin !== join) this.#write(join.configs);
    this.#lastJoin = join;
    this.#state = 'playing';
    return true;
  }

  #write(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#bytesSent += bytes.length;
    this.#socket.write(bytes);
  }
}
