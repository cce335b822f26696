import type { Worker } from 'node:worker_threads';
import { startThread } from '../../worker/start-thread.js';
import { type DiskCall, type DiskNews, STOP, type ThreadData } from './protocol.js';
import { ThreadWatch } from './thread-watch.js';

export interface DiskThreadEvents {
  news(news: DiskNews): void;
  /** A call of the system hasn't come back for too long, or has after all. */
  hung(isHung: boolean): void;
  /** It has ended, without having been told to where there is a detail. */
  ended(detail: string | undefined): void;
}

/** The thread that writes. */
export class DiskThread {
  readonly #worker: Worker;
  readonly #watch: ThreadWatch;
  readonly #exited: Promise<void>;
  #stops = false;

  /** @param options.slowMs a call that takes longer hangs */
  constructor(options: { root: string; slowMs: number; events: DiskThreadEvents }) {
    const { root, slowMs, events } = options;
    this.#watch = new ThreadWatch({ slowMs, tell: (isHung) => events.hung(isHung) });
    const workerData: ThreadData = { root, progress: this.#watch.shared };
    this.#worker = startThread('disk-thread', workerData);
    let failure: string | undefined;
    this.#worker.on('error', (error) => {
      failure = error.message;
    });
    this.#worker.on('message', (news: DiskNews) => events.news(news));
    this.#exited = new Promise((done) => {
      this.#worker.once('exit', (code) => {
        this.#watch.stop();
        events.ended(this.#stops ? undefined : (failure ?? `it ended with code ${code}`));
        done();
      });
    });
  }

  get isHung(): boolean {
    return this.#watch.isHung;
  }

  post(call: DiskCall, transfer: readonly ArrayBuffer[]): void {
    this.#watch.sent();
    this.#worker.postMessage(call, transfer);
  }

  /** Resolves when all that was asked before is done and the thread has ended. It won't while the disk hangs. */
  stop(): Promise<void> {
    if (!this.#stops) {
      this.#stops = true;
      this.#watch.sent();
      this.#worker.postMessage(STOP);
    }
    return this.#exited;
  }

  /** Ends it where it is, which must wait too while a call hangs; the process doesn't. */
  async kill(): Promise<void> {
    this.#worker.unref();
    await this.#worker.terminate();
  }
}
