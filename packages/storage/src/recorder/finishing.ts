import { type EventBus, type Logger, messageOf, type RecordedFile, type RecordingIndex } from '@sluice/core';
import { RecordingDiskError } from './disk/errors.js';
import type { RecordingFile } from './recording-file.js';
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
  readonly #retries = new Set<NodeJS.Timeout>();
  /** Files that it is at, or will be. */
  readonly #names = new Set<string>();
  #isClosed = false;

  constructor(options: FinishingOptions) {
    this.#options = options;
  }

  /** Closes a file, and makes it whole. One of which nothing got to the disk is forgotten. */
  finish(file: RecordingFile): void {
    const name = file.row.file;
    this.#names.add(name);
    this.#follow(
      file.closed().then(async () => {
        this.#names.delete(name);
        if (file.isThere) await this.#makeWhole(file.row);
      }),
    );
  }

  /** Whether it works at a file, or will soon. */
  isAt(file: string): boolean {
    return this.#names.has(file);
  }

  /**
   * Makes files whole that a crash has left, one after the other.
   *
   * @param rows asked for when it comes to them
   */
  repair(rows: () => Promise<readonly RecordedFile[]>): void {
    this.#follow(
      rows().then(async (found) => {
        for (const { file } of found) this.#names.add(file);
        for (const row of found) if (!this.#isClosed) await this.#makeWhole(row);
      }),
    );
  }

  /**
   * Waits for what is under way.
   *
   * @param patienceMs what isn't finished by then is repaired at the next start
   */
  async close(patienceMs: number): Promise<void> {
    this.#isClosed = true;
    for (const timer of this.#retries) clearTimeout(timer);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(true), patienceMs);
    });
    const isLate = await Promise.race([Promise.all(this.#underWay).then(() => false), late]);
    clearTimeout(timer);
    const files = this.#underWay.size;
    if (isLate) this.#options.log.warn({ files }, 'recorded files are left to be finished at the next start');
  }

  /** It is tried again where the disk or the index can't at the moment. */
  async #makeWhole(row: RecordedFile): Promise<void> {
    const { index, events, log } = this.#options;
    this.#names.add(row.file);
    let file: RecordedFile;
    try {
      file = await this.#finished(row);
      await index.put(file);
    } catch (error) {
      const isOver = error instanceof RecordingDiskError && error.code === 'closed';
      if (!isOver) log.warn({ file: row.file, detail: messageOf(error) }, 'a recorded file cannot be finished yet');
      this.#retry(row);
      return;
    }
    this.#names.delete(row.file);
    const { path, bytes, duration: durationMs, state, reason = '' } = file;
    if (state === 'ready') {
      log.info({ path, file: file.file, bytes, durationMs }, 'a recorded file is ready');
      events.emit('recording-file-ready', { file });
    } else {
      log.error({ path, file: file.file, detail: reason }, `a recorded file is ${state}`);
      events.emit('recording-file-damaged', { file, reason });
    }
  }

  /** The row of a file from now on. @throws where that can't be told at the moment */
  async #finished(row: RecordedFile): Promise<RecordedFile> {
    try {
      const { bytes, durationMs: duration, sha256, damage } = await this.#options.files.finish(row.file, row.container);
      const reason = [row.reason ?? [], damage].flat().join('; ') || undefined;
      // What came after a gap can be lost, and then the gap is none.
      const gaps = row.gaps.filter(({ at }) => at < duration);
      return { ...row, state: 'ready', bytes, duration, gaps, sha256, reason };
    } catch (error) {
      const code = error instanceof RecordingDiskError ? error.code : undefined;
      if (code === 'missing') return { ...row, state: 'missing', isLocal: false, reason: messageOf(error) };
      if (code === 'unreadable' || code === 'bad-name') return { ...row, state: 'damaged', reason: messageOf(error) };
      throw error;
    }
  }

  #retry(row: RecordedFile): void {
    if (this.#isClosed) return;
    const timer = setTimeout(() => {
      this.#retries.delete(timer);
      this.#follow(this.#makeWhole(row));
    }, RETRY_MS);
    timer.unref();
    this.#retries.add(timer);
  }

  #follow(work: Promise<void>): void {
    const followed = work
      .catch((error: unknown) => {
        this.#options.log.error({ detail: messageOf(error) }, 'recorded files could not be finished');
      })
      .finally(() => this.#underWay.delete(followed));
    this.#underWay.add(followed);
  }
}
