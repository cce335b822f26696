import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { type Clock, type Config, type Diagnosis, type Doctor, type Finding, failed, messageOf } from '@sluice/core';

export interface ServerDoctorOptions {
  readonly config: () => Config;
  readonly clock: Clock;
}

/** Who asks again sooner is told the same: a check opens ports and asks others. */
const FRESH_MS = 5000;
const MOST_MS = 60_000;

/** The doctor of a server that runs: the checks are made on a thread of their own, once for all who ask meanwhile. */
export class ServerDoctor implements Doctor {
  readonly #options: ServerDoctorOptions;
  #last: Diagnosis | undefined;
  #running: Promise<Diagnosis> | undefined;
  #worker: Worker | undefined;
  #isClosed = false;

  constructor(options: ServerDoctorOptions) {
    this.#options = options;
  }

  diagnose(): Promise<Diagnosis> {
    const { clock } = this.#options;
    if (this.#last !== undefined && clock.wall() - this.#last.at < FRESH_MS) return Promise.resolve(this.#last);
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#worker?.terminate();
  }

  async #run(): Promise<Diagnosis> {
    const findings = this.#isClosed ? [] : await this.#check();
    this.#last = { at: this.#options.clock.wall(), findings };
    return this.#last;
  }

  /** From its built file, also where tests run this package from its sources. */
  async #check(): Promise<readonly Finding[]> {
    const entry = createRequire(import.meta.url).resolve('@sluice/server/doctor-thread');
    const worker = new Worker(entry, { workerData: { config: this.#options.config() }, execArgv: [] });
    this.#worker = worker;
    const tooLong = setTimeout(() => void worker.terminate(), MOST_MS);
    try {
      return await new Promise<readonly Finding[]>((done, fail) => {
        worker.once('message', done);
        worker.once('error', fail);
        worker.once('exit', () => fail(new Error(`it ended before it was done, or took longer than ${MOST_MS} ms`)));
      });
    } catch (error) {
      return [failed('doctor', `the checks could not be made: ${messageOf(error)}`, 'Run `sluice doctor` here.')];
    } finally {
      clearTimeout(tooLong);
      this.#worker = undefined;
      await worker.terminate();
    }
  }
}
