import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { type DiskCall, type DiskNews, type DiskThreadData, PROGRESS, STOP } from './protocol.js';

/** Looks per time that a call may take. */
const LOOKS = 10;

export interface DiskThreadEvents {
  news(news: DiskNews): void;
  /** A call of the system hasn't come back for too long, or has after all. */
  hung(isHung: boolean): void;
  /** It has ended, without having been told to where there is a detail. */
  ended(detail: string | undefined): void;
}

/** The thread that writes, and a watch on it: a disk that doesn't answer stops the thread in the middle of a call. */
export class DiskThread {
  readonly #worker: Worker;
  readonly #events: DiskThreadEvents;
  readonly #counters: Int32Array;
  readonly #exited: Promise<void>;
  readonly #watch: NodeJS.Timeout;
  #sent = 0;
  #seen = 0;
  #stuckLooks = 0;
  #isHung = false;
  #stops = false;

  /** @param options.slowMs a call that takes longer hangs */
  constructor(options: { root: string; slowMs: number; events: DiskThreadEvents }) {
    this.#events = options.events;
    const progress = new SharedArrayBuffer(PROGRESS.count * Int32Array.BYTES_PER_ELEMENT);
    this.#counters = new Int32Array(progress);
    const workerData: DiskThreadData = { root: options.root, progress };
    // The built file, also where tests run this package from its sources.
    const entry = createRequire(import.meta.url).resolve('@sluice/storage/disk-thread');
    this.#worker = new Worker(entry, { workerData, execArgv: [] });
    let failure: string | undefined;
    this.#worker.on('error', (error) => {
      failure = error.message;
    });
    this.#worker.on('message', (news: DiskNews) => this.#events.news(news));
    this.#exited = new Promise((done) => {
      this.#worker.once('exit', (code) => {
        clearInterval(this.#watch);
        this.#events.ended(this.#stops ? undefined : (failure ?? `it ended with code ${code}`));
        done();
      });
    });
    this.#watch = setInterval(() => this.#look(), options.slowMs / LOOKS).unref();
  }

  get isHung(): boolean {
    return this.#isHung;
  }

  post(call: DiskCall, transfer: readonly ArrayBuffer[]): void {
    this.#sent = (this.#sent + 1) | 0;
    this.#worker.postMessage(call, transfer);
  }

  /** Resolves when all that was asked before is done and the thread has ended. It won't while the disk hangs. */
  stop(): Promise<void> {
    if (!this.#stops) {
      this.#stops = true;
      this.#sent = (this.#sent + 1) | 0;
      this.#worker.postMessage(STOP);
    }
    return this.#exited;
  }

  /** Ends it where it is, which must wait too while a call hangs; the process doesn't. */
  async kill(): Promise<void> {
    this.#worker.unref();
    await this.#worker.terminate();
  }

  /** By looks rather than by a clock: after the whole process was stopped for a while, nothing hangs. */
  #look(): void {
    const isIdle = Atomics.load(this.#counters, PROGRESS.messages) === this.#sent;
    const calls = Atomics.load(this.#counters, PROGRESS.systemCalls);
    this.#stuckLooks = isIdle || calls !== this.#seen ? 0 : this.#stuckLooks + 1;
    this.#seen = calls;
    const isHung = this.#stuckLooks >= LOOKS;
    if (isHung === this.#isHung) return;
    this.#isHung = isHung;
    this.#events.hung(isHung);
  }
}
