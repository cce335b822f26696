/** What this process takes of the machine. */
export interface ProcessFigures {
  /** Cores that it has kept busy since the last time. */
  readonly cpu: number;
  readonly memoryBytes: number;
}

/** Measures this process between two looks at it. */
export class ProcessMeter {
  #before = process.cpuUsage();
  #at = performance.now();

  take(): ProcessFigures {
    const now = performance.now();
    const { user, system } = process.cpuUsage(this.#before);
    const milliseconds = Math.max(1, now - this.#at);
    this.#before = process.cpuUsage();
    this.#at = now;
    const cpu = Math.round((user + system) / milliseconds / 10) / 100;
    return { cpu, memoryBytes: process.memoryUsage.rss() };
  }
}
