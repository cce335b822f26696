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

  /** The mean of the first and the last so many seconds, and the most, in MiB. */
  report(seconds: number): MemoryReport {
    const part = Math.max(1, Math.min(seconds, Math.floor(this.#samples.length / 2)));
    return {
      first: mean(this.#samples.slice(0, part)),
      last: mean(this.#samples.slice(-part)),
      most: Math.max(...this.#samples),
    };
  }
}

export interface MemoryReport {
  readonly first: number;
  readonly last: number;
  readonly most: number;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
