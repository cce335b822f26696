import { type EventBus, type Logger, messageOf, type RecordedFile, type RecordingIndex } from '@sluice/core';
import { RecordingDiskError } from './disk/errors.js';
import type { FinishedFile } from './disk/finisher-protocol.js';
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

  async #makeWhole(row: RecordedFile): Promise<void> {
    const { files, index, events, log } = this.#options;
    this.#names.add(row.file);
    let finished: FinishedFile;
    try {
      finished = await files.finish(row.file, row.container);
    } catch (error) {
      await this.#giveUp(row, error);
      return;
    }
    const { bytes, durationMs: duration, sha256, damage } = finished;
    const reason = [row.reason ?? [], damage].flat().join('; ') || undefined;
    const file: RecordedFile = { ...row, state: 'ready', bytes, duration, sha256, reason };
    if (damage.length > 0) log.warn({ path: row.path, file: row.file, damage }, 'a recorded file has holes');
    await index.put(file);
    this.#names.delete(row.file);
    log.info({ path: row.path, file: row.file, bytes, durationMs: duration }, 'a recorded file is ready');
    events.emit('recording-file-ready', { file });
  }

  /** For good, or until it is tried again. */
  async #giveUp(row: RecordedFile, error: unknown): Promise<void> {
    const { index, events, log } = this.#options;
    const reason = messageOf(error);
    const code = codeOf(error);
    if (code !== 'missing' && code !== 'unreadable') {
      if (code !== 'closed') log.warn({ file: row.file, detail: reason }, 'a recorded file cannot be finished yet');
      this.#retry(row);
      return;
    }
    const file: RecordedFile = { ...row, state: code === 'missing' ? 'missing' : 'damaged', reason };
    log.error({ path: row.path, file: row.file, detail: reason }, `a recorded file is ${file.state}`);
    await index.put(file);
    this.#names.delete(row.file);
    events.emit('recording-file-damaged', { file, reason });
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

const codeOf = (error: unknown) => (error instanceof RecordingDiskError ? error.code : undefined);
