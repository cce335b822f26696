import { usageOf } from '../proc-stat.js';

const STEP_MS = 1000;

/** Resident memory, once a second. */
export class MemoryLog {
  readonly #samples: number[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(pid: number) {
    this.#timer = setInterval(() => this.#samples.push(usageOf([pid]).residentMib), STEP_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** The means of each so many seconds, in MiB. */
  means(seconds: number): readonly number[] {
    const parts = Array.from({ length: Math.ceil(this.#samples.length / seconds) }, (_, at) =>
      this.#samples.slice(at * seconds, (at + 1) * seconds),
    );
    return parts.map(mean);
  }
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
