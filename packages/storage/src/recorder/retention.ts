import {
  type EventBus,
  type Logger,
  liveEndOf,
  messageOf,
  type RecordedFile,
  type RecordedFileQuery,
  type RecordingIndex,
  type StreamPath,
} from '@sluice/core';
import type { RecordingDisk } from './disk/recording-disk.js';
import type { RecordingRemover, RemovalReason } from './recording-remover.js';

const EVERY_MS = 60_000;
/** So long after a file is finished, together with all that are finished until then. */
const SOON_MS = 1000;
const PAGE = 500;

/** What is kept, as it stands at the moment. 0: without a limit. */
export interface RetentionSettings {
  readonly keepFreeBytes: number;
  /** Whether files go to an object store: those that aren't there yet are not removed. */
  readonly areUploaded: boolean;
}

export interface RetentionOptions {
  readonly index: RecordingIndex;
  readonly remover: RecordingRemover;
  readonly events: EventBus;
  readonly settings: () => RetentionSettings;
  readonly settingsFor: (path: StreamPath) => { readonly keepSeconds: number; readonly keepBytes: number };
  /** Wall clock, ms since 1970. */
  readonly now: () => number;
  readonly disk: Pick<RecordingDisk, 'space'>;
  readonly log: Logger;
}

/**
 * Removes files that are too old, of paths with too many bytes, and the oldest of all where the disk runs full. A file
 * that is being written stays, and so does one that waits for its upload. Age ends a recording wherever it is; the
 * limits on bytes are about this disk, and leave copies in the object store. What somebody keeps stays, here or there.
 */
export class Retention {
  readonly #options: RetentionOptions;
  readonly #stopListening: readonly (() => void)[];
  readonly #timer: NodeJS.Timeout;
  #soon: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #isAsked = false;
  #isClosed = false;
  #isShort = false;

  constructor(options: RetentionOptions) {
    this.#options = options;
    const { events } = options;
    const soon = () => {
      this.#soon ??= setTimeout(() => void this.run(), SOON_MS).unref();
    };
    this.#stopListening = [events.on('recording-file-ready', soon), events.on('recording-file-uploaded', soon)];
    this.#timer = setInterval(() => void this.run(), EVERY_MS);
    this.#timer.unref();
  }

  /** Looks through everything once. While it does, further calls come to one more look together. */
  run(): Promise<void> {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    this.#isAsked = true;
    this.#running ??= this.#runWhileAsked();
    return this.#running;
  }

  /** Begins nothing more, and waits for the file that is being removed: until the disk is closed, where that hangs. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    clearTimeout(this.#soon);
    for (const stop of this.#stopListening) stop();
    await this.#running;
  }

  async #runWhileAsked(): Promise<void> {
    while (this.#isAsked && !this.#isClosed) {
      this.#isAsked = false;
      try {
        await this.#look();
      } catch (error) {
        if (this.#isClosed) break;
        this.#options.log.error({ detail: messageOf(error) }, 'old recordings could not be looked through');
      }
    }
    this.#running = undefined;
  }

  async #look(): Promise<void> {
    const { index, settingsFor } = this.#options;
    const paths = await index.paths();
    for (const { path, bytes } of paths) {
      const { keepSeconds, keepBytes } = settingsFor(path);
      if (keepSeconds > 0) await this.#removeOld(path, keepSeconds);
      if (keepBytes > 0 && bytes > keepBytes) await this.#removeBeyond(path, keepBytes);
    }
    // Before the first recording there may be no folder to ask about.
    if (paths.length > 0) await this.#makeRoom();
  }

  async #removeOld(path: StreamPath, keepSeconds: number): Promise<void> {
    const oldest = this.#options.now() - keepSeconds * 1000;
    for await (const file of this.#oldestFirst({ path, to: oldest })) {
      if (liveEndOf(file) <= oldest && !file.isKept && this.#isRemovable(file)) await this.#remove(file, 'age');
    }
  }

  async #removeBeyond(path: StreamPath, keepBytes: number): Promise<void> {
    let bytes = 0;
    for await (const file of this.#oldestFirst({ path, isLocal: true })) bytes += file.bytes;
    for await (const file of this.#oldestFirst({ path, isLocal: true })) {
      if (bytes <= keepBytes) return;
      if (!this.#isRemovable(file)) continue;
      if ((await this.#remove(file, 'path-full')) !== 'failed') bytes -= file.bytes;
    }
  }

  /**
   * The disk is asked once: some file systems free what was removed only later, and asking them again after each file
   * would remove far too many.
   */
  async #makeRoom(): Promise<void> {
    const { settings, disk, log } = this.#options;
    const { keepFreeBytes } = settings();
    if (keepFreeBytes === 0) return;
    let { free } = await disk.space();
    if (free < keepFreeBytes) {
      for await (const file of this.#oldestFirst({ isLocal: true })) {
        if (!this.#isRemovable(file)) continue;
        if ((await this.#remove(file, 'disk-full')) === 'removed') free += file.bytes;
        if (free >= keepFreeBytes) break;
      }
    }
    const isShort = free < keepFreeBytes;
    if (isShort && !this.#isShort && !this.#isClosed) {
      log.warn(
        { free, 'recording.keepFreeBytes': keepFreeBytes },
        'too little is free on the disk of the recordings, and none of them can be removed: make room',
      );
    }
    this.#isShort = isShort;
  }

  /** A damaged file is not uploaded, and waits for nothing. */
  #isRemovable({ state, remote, isKept }: RecordedFile): boolean {
    if (state === 'writing' || (isKept && remote === undefined)) return false;
    return state !== 'ready' || remote !== undefined || !this.#options.settings().areUploaded;
  }

  /** `none`: there was nothing to remove here. */
  async #remove(file: RecordedFile, reason: RemovalReason): Promise<'removed' | 'none' | 'failed'> {
    const { remover, log } = this.#options;
    try {
      const isDone = await (reason === 'age'
        ? remover.removeEverywhere(file, reason)
        : remover.removeHere(file, reason));
      if (!isDone && reason !== 'age')
        log.warn({ file: file.file, reason }, 'a recording to be removed is not on the disk');
      if (!isDone) return 'none';
    } catch (error) {
      if (this.#isClosed) return 'failed';
      log.error({ file: file.file, reason, detail: messageOf(error) }, 'a recording could not be removed');
      return 'failed';
    }
    log.info({ path: file.path, file: file.file, reason }, 'a recording was removed');
    return 'removed';
  }

  async *#oldestFirst(query: Pick<RecordedFileQuery, 'path' | 'to' | 'isLocal'>): AsyncGenerator<RecordedFile> {
    for (let after: RecordedFile | undefined; ; ) {
      const page = await this.#options.index.query({ ...query, order: 'oldest', after, limit: PAGE });
      for (const file of page) {
        if (this.#isClosed) return;
        yield file;
      }
      after = page.at(-1);
      if (page.length < PAGE) return;
    }
  }
}
