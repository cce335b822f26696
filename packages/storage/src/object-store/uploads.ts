import {
  type Clock,
  type EventBus,
  type Logger,
  messageOf,
  Persistent,
  type RecordedFile,
  type RecordingIndex,
  type RecordStore,
} from '@sluice/core';
import { LocalFileError, ObjectStoreError } from './errors.js';
import type { ObjectAddress, ObjectStore } from './object-store.js';
import { giveUp, isCopyOf, uploadFile } from './upload-file.js';
import type { UploadProgress } from './upload-progress.js';

/** Files that are uploaded at a time, each over one connection: streams come first. */
const LANES = 2;

export interface UploadsOptions {
  readonly store: ObjectStore;
  readonly index: RecordingIndex;
  readonly journal: RecordStore<UploadProgress>;
  readonly events: EventBus;
  /** The recording root. */
  readonly root: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

interface Running {
  readonly abort: AbortController;
  readonly ended: Promise<void>;
}

/**
 * Copies files to the object store, two at a time and in the order in which they came, and notes in the index where
 * the copies are. While the store can't be reached or refuses, it is asked again with growing pauses, and a file that
 * failed goes behind the others.
 */
export class Uploads {
  readonly #options: UploadsOptions;
  readonly #waiting = new Set<string>();
  readonly #running = new Map<string, Running>();
  /** Files that are to be deleted: their uploads don't begin any more. */
  readonly #released = new Set<string>();
  /** Called when there is something to upload. */
  readonly #idle = new Set<() => void>();
  readonly #lanes: readonly Persistent[];
  #trouble: string | undefined;

  constructor(options: UploadsOptions) {
    this.#options = options;
    this.#lanes = Array.from({ length: LANES }, () => {
      return new Persistent({
        attempt: (signal) => this.#work(signal),
        onPause: (reason, delayMs) => this.#pause(reason, delayMs),
        random: options.random,
      });
    });
  }

  /** Files whose copies aren't there yet. */
  get waiting(): number {
    return this.#waiting.size + this.#running.size;
  }

  /** What keeps files from being uploaded; undefined where nothing does. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Uploads a file of the index when its turn comes, if it is ready then and has no copy. */
  add(id: string): void {
    if (this.#released.has(id) || this.#running.has(id)) return;
    this.#waiting.add(id);
    for (const wake of this.#idle) wake();
  }

  /**
   * Ends the upload of a file that is to be deleted, for good, and frees what the store has of it.
   *
   * @throws {ObjectStoreError} where the store can't be asked
   */
  async release(id: string): Promise<void> {
    const { store, journal } = this.#options;
    this.#released.add(id);
    this.#waiting.delete(id);
    const running = this.#running.get(id);
    running?.abort.abort();
    await running?.ended;
    const progress = await this.#progressOf(id);
    if (progress !== undefined) await giveUp(store, journal, progress);
  }

  /** A file is gone, and nobody will ask for it again. */
  forget(id: string): void {
    this.#released.delete(id);
  }

  /** Ends uploads under way. They go on where they were at the next start. */
  async close(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.stop()));
  }

  async #work(signal: AbortSignal): Promise<string> {
    while (!signal.aborted) {
      const [id] = this.#waiting;
      if (id === undefined) await this.#untilAdded(signal);
      else await this.#take(id, signal);
    }
    return 'stopped';
  }

  #untilAdded(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#idle.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#idle.add(wake);
      signal.addEventListener('abort', wake);
    });
  }

  async #take(id: string, signal: AbortSignal): Promise<void> {
    this.#waiting.delete(id);
    const abort = new AbortController();
    const stop = () => abort.abort();
    signal.addEventListener('abort', stop);
    const upload = this.#upload(id, abort.signal);
    this.#running.set(id, { abort, ended: upload.catch(() => {}) });
    try {
      await upload;
      this.#trouble = undefined;
    } catch (error) {
      // Its release has ended it: no fault, and nothing to try again.
      if (this.#released.has(id)) return this.#warnOfRest(id, error);
      this.#waiting.add(id);
      throw error;
    } finally {
      signal.removeEventListener('abort', stop);
      this.#running.delete(id);
    }
  }

  async #upload(id: string, signal: AbortSignal): Promise<void> {
    const { store, index, journal, root, clock, events, log } = this.#options;
    const file = await index.get(id);
    if (file?.state !== 'ready' || file.remote !== undefined || !file.isLocal) return;
    const before = await this.#usable(await this.#progressOf(id), file);
    const to = before ?? (await this.#placeFor(file, signal));
    const at = { bucket: to.bucket, key: to.key };
    try {
      // The answer to its completion may have been lost.
      if (!isCopyOf(file, await store.head(at, signal))) {
        await uploadFile({ store, journal, file, root, to: at, before, signal });
      } else if (before !== undefined) {
        await giveUp(store, journal, before);
      }
    } catch (error) {
      if (error instanceof LocalFileError) return this.#condemn(file, error);
      throw error;
    }
    const now = await index.get(id);
    if (now === undefined || this.#released.has(id)) return store.delete(at);
    const uploaded: RecordedFile = { ...now, remote: { ...at, uploadedAt: clock.wall() } };
    await index.put(uploaded);
    if (this.#released.has(id)) {
      // It was removed from the index while it was put there.
      await index.delete(id);
      return store.delete(at);
    }
    log.info({ file: file.file, bytes: file.bytes, ...at }, 'a recorded file is in the object store');
    events.emit('recording-file-uploaded', { file: uploaded });
  }

  /** Where a file goes: under its own name, unless the store has another file by it, which is never replaced. */
  async #placeFor(file: RecordedFile, signal: AbortSignal): Promise<ObjectAddress> {
    const { store } = this.#options;
    const { bucket } = store;
    const key = `${store.settings.prefix}${file.file}`;
    const facts = await store.head({ bucket, key }, signal);
    if (facts === undefined || (facts.sha256 !== undefined && facts.sha256 === file.sha256)) return { bucket, key };
    return { bucket, key: key.replace(/(\.\w+)?$/, (extension) => `-${file.id}${extension}`) };
  }

  /** What was uploaded before, where it can be gone on with; else it is freed. */
  async #usable(progress: UploadProgress | undefined, file: RecordedFile): Promise<UploadProgress | undefined> {
    const { store, journal } = this.#options;
    if (progress === undefined) return undefined;
    const isWithin = (progress.parts.length - 1) * progress.partBytes < file.bytes;
    if (progress.bucket === store.bucket && isWithin) return progress;
    await giveUp(store, journal, progress);
    return undefined;
  }

  async #progressOf(id: string): Promise<UploadProgress | undefined> {
    return (await this.#options.journal.load()).find((progress) => progress.id === id);
  }

  /**
   * The file isn't what it was: it is not worth another try, nor a copy. One that isn't there may be on a disk that is
   * away: its entry stays, and the next start looks for it again.
   */
  async #condemn({ id }: RecordedFile, { code, message }: LocalFileError): Promise<void> {
    const { index, events, log } = this.#options;
    const now = await index.get(id);
    if (now === undefined || this.#released.has(id)) return;
    log.error({ id, detail: message }, 'a recorded file cannot be uploaded');
    if (code === 'missing') return;
    const file: RecordedFile = { ...now, state: 'damaged', reason: message };
    await index.put(file);
    if (this.#released.has(id)) await index.delete(id);
    else events.emit('recording-file-damaged', { file, reason: message });
  }

  #warnOfRest(id: string, error: unknown): void {
    if (error instanceof ObjectStoreError && error.code === 'stopped') return;
    this.#options.log.warn({ id, detail: messageOf(error) }, 'a copy of a deleted recording may be left');
  }

  #pause(reason: string, delayMs: number): void {
    const isNews = reason !== this.#trouble;
    this.#trouble = reason;
    const level = isNews ? 'warn' : 'debug';
    this.#options.log[level]({ reason, retryMs: delayMs, waiting: this.waiting }, 'uploading is interrupted');
  }
}
