/** Reads may have to wait for what is under way here: libuv has four threads for files. */
const CONCURRENCY = 2;

interface Waiting {
  readonly bytes: number;
  readonly work: () => Promise<void>;
}

/** File operations in their order, a few at a time. Nobody waits for it; who adds to it looks first whether it is full. */
export class DiskQueue {
  readonly #maxBytes: number;
  #waiting: Waiting[] = [];
  #running = 0;
  #bytes = 0;
  #whenIdle: (() => void)[] = [];

  /** @param maxBytes that wait or are being written */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether there is room; for one there always is. */
  hasRoom(bytes: number): boolean {
    return this.#bytes === 0 || this.#bytes + bytes <= this.#maxBytes;
  }

  /** @param work must not reject @param bytes that it holds in memory */
  add(work: () => Promise<void>, bytes = 0): void {
    this.#bytes += bytes;
    this.#waiting.push({ work, bytes });
    this.#next();
  }

  /** Resolves when all is done, or when patience is over. */
  async idle(patienceMs: number): Promise<void> {
    if (this.#running === 0 && this.#waiting.length === 0) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, patienceMs);
      this.#whenIdle.push(resolve);
    });
    clearTimeout(timer);
  }

  #next(): void {
    while (this.#running < CONCURRENCY) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      this.#running += 1;
      void this.#run(next);
    }
  }

  async #run({ work, bytes }: Waiting): Promise<void> {
    await work();
    this.#running -= 1;
    this.#bytes -= bytes;
    this.#next();
    if (this.#running > 0 || this.#waiting.length > 0) return;
    for (const tell of this.#whenIdle.splice(0)) tell();
  }
}
