import {
  type ByteRange,
  type Clock,
  type EventBus,
  type Logger,
  messageOf,
  type RecordedFile,
  type RecordingIndex,
  type RecordStore,
  type RemoteFiles,
} from '@sluice/core';
import type { RecordingRemover } from '../recorder/recording-remover.js';
import { ObjectStoreError } from './errors.js';
import { LocalExpiry } from './local-expiry.js';
import { ObjectStore, type ObjectStoreSettings } from './object-store.js';
import { contentTypeOf, giveUp } from './upload-file.js';
import type { UploadProgress } from './upload-progress.js';
import { Uploads } from './uploads.js';

const PAGE = 500;
const SWEEP_MS = 5000;
/** A URL holds for so long beyond the length of its file: for a pause, and for ranges asked later. */
const URL_MARGIN_SECONDS = 3600;
/** Of SigV4. */
const LONGEST_URL_SECONDS = 7 * 86_400;

export interface RemoteRecordingsOptions {
  /** `recording.s3` as it is at the moment. */
  readonly settings: () => ObjectStoreSettings;
  readonly index: RecordingIndex;
  /** Where the progress of uploads is kept. */
  readonly journal: RecordStore<UploadProgress>;
  readonly events: EventBus;
  /** The recording root. */
  readonly root: string;
  readonly remover: RecordingRemover;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

/** Recorded files and the object store: copies them there, removes them here, and gives them back. */
export class RemoteRecordings implements RemoteFiles {
  readonly #options: RemoteRecordingsOptions;
  readonly #store: ObjectStore;
  readonly #uploads: Uploads;
  readonly #expiry: LocalExpiry;
  readonly #timer: NodeJS.Timeout;
  readonly #ends: readonly (() => void)[];
  #isClosed = false;
  #isSweeping = false;
  #working = Promise.resolve();

  /** Begins at once, with what has no copy yet. */
  constructor(options: RemoteRecordingsOptions) {
    this.#options = options;
    const { settings, events } = options;
    this.#store = new ObjectStore(settings);
    const parts = { ...options, store: this.#store };
    this.#uploads = new Uploads(parts);
    this.#expiry = new LocalExpiry({ ...parts, uploadAgain: (id) => this.#uploads.add(id) });
    this.#ends = [
      events.on('recording-file-ready', ({ file }) => this.#consider(file)),
      events.on('recording-file-uploaded', ({ file }) => this.#expiry.add(file)),
      events.on('recording-file-removed', ({ file, reason }) => this.#removed(file, reason)),
    ];
    this.changed();
    this.#timer = setInterval(() => void this.#sweepNow(), SWEEP_MS);
    this.#timer.unref();
  }

  /** Files whose copies aren't there yet. */
  get waiting(): number {
    return this.#uploads.waiting;
  }

  /** What keeps files from being uploaded; undefined where nothing does. */
  get trouble(): string | undefined {
    return this.#uploads.trouble;
  }

  /** To be called when the settings have changed: a bucket may be named now. */
  changed(): void {
    void this.#queue(() => this.#scan());
  }

  /** Removes local files that are due. Called by itself now and then. @param now in ms since 1970 */
  sweep(now: number): Promise<void> {
    return this.#queue(() => this.#expiry.sweep(now));
  }

  /** Unless the sweep before hasn't come to its end. */
  async #sweepNow(): Promise<void> {
    if (this.#isSweeping) return;
    this.#isSweeping = true;
    await this.sweep(this.#options.clock.wall());
    this.#isSweeping = false;
  }

  async url(file: RecordedFile): Promise<string | undefined> {
    const { remote, duration } = file;
    if (remote === undefined || this.#store.settings.playback !== 'redirect') return undefined;
    const seconds = Math.min(LONGEST_URL_SECONDS, URL_MARGIN_SECONDS + Math.ceil(duration / 1000));
    return this.#store.presign(remote, seconds, contentTypeOf(file));
  }

  async *read({ id, remote }: RecordedFile, range: ByteRange): AsyncGenerator<Buffer> {
    if (remote === undefined) {
      throw new ObjectStoreError('missing', `The object store has no copy of the recorded file ${id}.`);
    }
    yield* await this.#store.read(remote, range);
  }

  /**
   * Ends an upload of the file, and deletes its copy. To be called before it leaves the index, which alone knows of the
   * copy where this rejects.
   */
  async delete(file: RecordedFile): Promise<void> {
    await this.#uploads.release(file.id);
    const { remote } = (await this.#options.index.get(file.id)) ?? file;
    if (remote !== undefined) await this.#store.delete(remote);
  }

  /** Ends what is under way. Uploads go on where they were at the next start. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    for (const end of this.#ends) end();
    await this.#uploads.close();
    this.#store.close();
    await this.#working;
  }

  #consider(file: RecordedFile): void {
    this.#expiry.add(file);
    if (this.#store.settings.bucket !== undefined && file.isLocal && file.remote === undefined) {
      this.#uploads.add(file.id);
    }
  }

  #removed({ id }: RecordedFile, reason: string): void {
    this.#expiry.drop(id);
    if (reason === 'moved') return;
    // At once: what is under way must not put it into the index again.
    const released = this.#uploads.release(id).catch((error: unknown) => this.#warn(error));
    void this.#queue(() => released).then(() => this.#uploads.forget(id));
  }

  /** One after the other, and each whatever became of the one before. */
  #queue(work: () => Promise<void>): Promise<void> {
    this.#working = this.#working.then(async () => {
      if (this.#isClosed) return;
      try {
        await work();
      } catch (error) {
        this.#warn(error);
      }
    });
    return this.#working;
  }

  #warn(error: unknown): void {
    if (!this.#isClosed) this.#options.log.warn({ detail: messageOf(error) }, 'the object store is not up to date');
  }

  /** Looks through the index: what is to be uploaded, what is to be removed here, and what was given up half-way. */
  async #scan(): Promise<void> {
    const { index, journal } = this.#options;
    let after: { readonly startedAt: number; readonly id: string } | undefined;
    do {
      const files = await index.query({ state: 'ready', order: 'oldest', after, limit: PAGE });
      for (const file of files) this.#consider(file);
      const last = files.length < PAGE ? undefined : files.at(-1);
      after = last === undefined ? undefined : { startedAt: last.startedAt, id: last.id };
    } while (after !== undefined && !this.#isClosed);
    if (this.#store.settings.bucket === undefined) return;
    // Of files that were deleted, or uploaded after all.
    for (const progress of await journal.load()) {
      const file = await index.get(progress.id);
      if (file === undefined || file.remote !== undefined) await giveUp(this.#store, journal, progress);
    }
  }
}
