import { availableParallelism } from 'node:os';
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

/** What the process needs. */
export interface ServerLoad {
  /** Of one core. */
  readonly cpu: number;
  readonly cores: number;
  readonly memoryBytes: number;
  /** How late timers came, ms: the 99th percentile since the last look. */
  readonly loopDelayMs: number;
}

const RESOLUTION_MS = 20;
const NS_PER_MS = 1_000_000;

/** Looks at what the process needs, from one look to the next. */
export class LoadMeter {
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #usage = process.cpuUsage();
  #lookedAt = performance.now();

  /** The histogram costs a timer, which runs only while somebody wants to know. */
  start(): void {
    this.#delay.enable();
    this.#usage = process.cpuUsage();
    this.#lookedAt = performance.now();
  }

  stop(): void {
    this.#delay.disable();
  }

  look(): ServerLoad {
    const now = performance.now();
    const { user, system } = process.cpuUsage(this.#usage);
    const elapsed = Math.max(1, now - this.#lookedAt);
    this.#usage = process.cpuUsage();
    this.#lookedAt = now;
    const late = this.#delay.count === 0 ? 0 : this.#delay.percentile(99) / NS_PER_MS - RESOLUTION_MS;
    this.#delay.reset();
    return {
      cpu: Math.round((user + system) / elapsed) / 1000,
      cores: availableParallelism(),
      memoryBytes: process.memoryUsage.rss(),
      loopDelayMs: Math.max(0, Math.round(late * 10) / 10),
    };
  }
}
