import { setImmediate as nextTurn } from 'node:timers/promises';

/** A job in slices: it goes on with each step. */
export type Slices<T> = Generator<void, T>;

interface Job {
  /** Takes the next slice. @returns whether it was the last */
  step(): boolean;
}

/**
 * Long jobs, one at a time and in slices, between which the thread's messages get their turn. Those of the first kind
 * go before those of the second.
 */
export class SlicedWork {
  readonly #queues: { readonly checksum: Job[]; readonly check: Job[] } = { checksum: [], check: [] };
  readonly #progress: () => void;
  #isRunning = false;

  /** @param progress called after each slice */
  constructor(progress: () => void) {
    this.#progress = progress;
  }

  add<T>(kind: 'checksum' | 'check', slices: Slices<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const step = () => {
        try {
          const { done, value } = slices.next();
          if (done === true) resolve(value);
          return done === true;
        } catch (error) {
          reject(error);
          return true;
        }
      };
      this.#queues[kind].push({ step });
      if (!this.#isRunning) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    const { checksum, check } = this.#queues;
    for (;;) {
      await nextTurn();
      const queue = checksum.length > 0 ? checksum : check;
      const [job] = queue;
      if (job === undefined) break;
      if (job.step()) queue.shift();
      this.#progress();
    }
    this.#isRunning = false;
  }
}
