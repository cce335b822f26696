import type { Worker } from 'node:worker_threads';
import type { Logger, RecordingContainer } from '@sluice/core';
import { startThread } from '../../worker/start-thread.js';
import { RecordingDiskError } from './errors.js';
import type {
  CheckResult,
  ExpectedFile,
  FinishedFile,
  FinisherAnswer,
  FinisherCall,
  FinisherValue,
  FoundFile,
} from './finisher-protocol.js';
import type { ThreadData } from './protocol.js';
import { ThreadWatch } from './thread-watch.js';

/** What is being done at the end may be interrupted; where the disk hangs, it can't. */
const KILL_MS = 2000;

interface Waiting {
  readonly resolve: (value: FinisherValue) => void;
  readonly reject: (error: RecordingDiskError) => void;
}

/** The main thread's side of the thread that finishes, checks and removes files. It is begun when it is needed. */
export class Finisher {
  readonly #root: string;
  readonly #log: Logger;
  readonly #slowMs: number;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #watch: ThreadWatch | undefined;
  #next = 0;
  #isClosed = false;

  /** @param options.slowMs a call of the system that takes longer hangs; what is asked then fails with `disk-failed` */
  constructor(options: { readonly root: string; readonly log: Logger; readonly slowMs: number }) {
    this.#root = options.root;
    this.#log = options.log;
    this.#slowMs = options.slowMs;
  }

  get isHung(): boolean {
    return this.#watch?.isHung ?? false;
  }

  finish(file: string, container: RecordingContainer): Promise<FinishedFile> {
    return this.#call({ kind: 'finish', file, container });
  }

  check(file: string, expected: ExpectedFile): Promise<CheckResult> {
    return this.#call({ kind: 'check', file, expected });
  }

  remove(file: string): Promise<boolean> {
    return this.#call({ kind: 'remove', file });
  }

  list(): Promise<readonly FoundFile[]> {
    return this.#call({ kind: 'list' });
  }

  /** Ends the thread, in the middle of a file too: what it does to one can be interrupted anywhere. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const worker = this.#worker;
    this.#worker = undefined;
    this.#failAll(new RecordingDiskError('closed', 'the recording disk is closed'));
    if (worker === undefined) return;
    worker.unref();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((done) => {
      timer = setTimeout(() => done(false), KILL_MS);
    });
    const ended = await Promise.race([worker.terminate().then(() => true), late]);
    clearTimeout(timer);
    if (!ended) this.#log.error({}, `a call of the system for ${this.#root} hangs: a file is left unfinished`);
  }

  /** The answer's type follows from the call's. */
  #call<T extends FinisherValue>(call: FinisherCall): Promise<T> {
    if (this.#isClosed) return Promise.reject(new RecordingDiskError('closed', 'the recording disk is closed'));
    if (this.isHung) return Promise.reject(this.#hungError());
    const id = this.#next++;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: FinisherValue) => void, reject });
      const worker = this.#running();
      this.#watch?.sent();
      worker.postMessage({ ...call, id });
    });
  }

  #running(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const watch = new ThreadWatch({ slowMs: this.#slowMs, tell: (isHung) => this.#takeHung(isHung) });
    const workerData: ThreadData = { root: this.#root, progress: watch.shared };
    const worker = startThread('finisher-thread', workerData);
    let failure: string | undefined;
    worker.on('error', (error) => {
      failure = error.message;
    });
    worker.on('message', (answer: FinisherAnswer) => this.#settle(answer));
    worker.once('exit', (code) => {
      watch.stop();
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      this.#watch = undefined;
      const detail = failure ?? `it ended with code ${code}`;
      this.#log.error({ detail }, 'the thread that finishes recordings has ended');
      this.#failAll(new RecordingDiskError('disk-failed', `the thread that finishes recordings has ended: ${detail}`));
    });
    this.#worker = worker;
    this.#watch = watch;
    return worker;
  }

  #takeHung(isHung: boolean): void {
    if (this.#isClosed) return;
    if (!isHung) {
      this.#log.warn({}, `the disk of ${this.#root} answers again`);
      return;
    }
    const error = this.#hungError();
    this.#log.error({ jobs: this.#waiting.size }, error.message);
    this.#failAll(error);
  }

  #hungError(): RecordingDiskError {
    const message = `a call of the system for a file in ${this.#root} has taken more than ${this.#slowMs / 1000} s`;
    return new RecordingDiskError('disk-failed', message);
  }

  #settle(answer: FinisherAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (answer.kind === 'value') waiting?.resolve(answer.value);
    else waiting?.reject(new RecordingDiskError(answer.code, answer.message));
  }

  #failAll(error: RecordingDiskError): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(error);
  }
}
