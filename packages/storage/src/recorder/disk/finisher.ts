import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import type { Logger, RecordingContainer } from '@sluice/core';
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
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #next = 0;
  #isClosed = false;

  constructor(options: { readonly root: string; readonly log: Logger }) {
    this.#root = options.root;
    this.#log = options.log;
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
    const id = this.#next++;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: FinisherValue) => void, reject });
      this.#running().postMessage({ ...call, id });
    });
  }

  #running(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    // The built file, also where tests run this package from its sources.
    const entry = createRequire(import.meta.url).resolve('@sluice/storage/finisher-thread');
    const worker = new Worker(entry, { workerData: { root: this.#root }, execArgv: [] });
    let failure: string | undefined;
    worker.on('error', (error) => {
      failure = error.message;
    });
    worker.on('message', (answer: FinisherAnswer) => this.#settle(answer));
    worker.once('exit', (code) => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      const detail = failure ?? `it ended with code ${code}`;
      this.#log.error({ detail }, 'the thread that finishes recordings has ended');
      this.#failAll(new RecordingDiskError('disk-failed', `the thread that finishes recordings has ended: ${detail}`));
    });
    this.#worker = worker;
    return worker;
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
