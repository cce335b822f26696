import { type EventBus, type Logger, messageOf, type RecordedFile, type RecordingIndex } from '@sluice/core';
import { type RecordingFile, readyRow } from './recording-file.js';
import type { RecordingFiles } from './recording-files.js';

export interface FinishingOptions {
  readonly files: RecordingFiles;
  readonly index: RecordingIndex;
  readonly events: EventBus;
  readonly log: Logger;
}

/** What can't be finished now, for want of space in the main, is tried again after so long. */
const RETRY_MS = 10_000;

/** Makes files whole that grow no more, and tells the index of them. */
export class Finishing {
  readonly #options: FinishingOptions;
  readonly #underWay = new Set<Promise<void>>();
  readonly #retries = new Map<NodeJS.Timeout, RecordedFile>();
  #isClosed = false;

  constructor(options: FinishingOptions) {
    this.#options = options;
  }

  /** Closes a file, and makes it whole. */
  finish(file: RecordingFile): void {
    this.#follow(
      file.closed().then(async () => {
        // Nothing of it ever got to the disk: it was tried whether anything would.
        if (file.keptBytes > 0) await this.repair(file.row);
      }),
    );
  }

  /** Makes a file whole that a crash has left, or that could not be made so before. */
  async repair(row: RecordedFile): Promise<void> {
    const { files, index, events, log } = this.#options;
    let ready: RecordedFile;
    try {
      ready = readyRow(row, await files.finish(row.file, row.container));
    } catch (error) {
      log.warn({ file: row.file, detail: messageOf(error) }, 'a recorded file cannot be finished yet');
      this.#retry(row);
      return;
    }
    await index.put(ready);
    events.emit('recording-file-ready', { file: ready });
  }

  /**
   * Waits for what is under way.
   *
   * @param patienceMs what isn't finished by then is repaired at the next start
   */
  async close(patienceMs: number): Promise<void> {
    this.#isClosed = true;
    for (const timer of this.#retries.keys()) clearTimeout(timer);
    let timer: NodeJS.Timeout | undefined;
    const isLate = await Promise.race([
      Promise.all(this.#underWay).then(() => false),
      new Promise<boolean>((resolve) => {
        timer = setTimeout(() => resolve(true), patienceMs);
      }),
    ]);
    clearTimeout(timer);
    const files = this.#underWay.size;
    if (isLate) this.#options.log.warn({ files }, 'recorded files are left to be finished at the next start');
  }

  #follow(work: Promise<void>): void {
    const followed = work
      .catch((error: unknown) => {
        this.#options.log.error({ detail: messageOf(error) }, 'a recorded file could not be finished');
      })
      .finally(() => this.#underWay.delete(followed));
    this.#underWay.add(followed);
  }

  #retry(row: RecordedFile): void {
    if (this.#isClosed) return;
    const timer = setTimeout(() => {
      this.#retries.delete(timer);
      this.#follow(this.repair(row));
    }, RETRY_MS);
    timer.unref();
    this.#retries.set(timer, row);
  }
}
