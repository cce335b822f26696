import type { Readable } from 'node:stream';
import {
  type Clock,
  type EventBus,
  type Logger,
  messageOf,
  type RecordedFile,
  type RecordingIndex,
  type RecordStore,
  type RemoteFiles,
} from '@sluice/core';
import { ObjectStoreError } from './errors.js';
import { LocalExpiry } from './local-expiry.js';
import { ObjectStore, type ObjectStoreSettings } from './object-store.js';
import { contentTypeOf, giveUp } from './upload-file.js';
import type { UploadProgress } from './upload-progress.js';
import { Uploads } from './uploads.js';

const PAGE = 500;
const SWEEP_MS = 30_000;
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
  #working: Promise<void>;

  /** Begins at once, with what has no copy yet. */
  constructor(options: RemoteRecordingsOptions) {
    this.#options = options;
    const { settings, events, clock } = options;
    this.#store = new ObjectStore(settings);
    const parts = { ...options, store: this.#store };
    this.#uploads = new Uploads(parts);
    this.#expiry = new LocalExpiry({ ...parts, uploadAgain: (id) => this.#uploads.add(id) });
    this.#ends = [
      events.on('recording-file-ready', ({ file }) => this.#consider(file)),
      events.on('recording-file-uploaded', ({ file }) => this.#expiry.add(file)),
      events.on('recording-file-removed', ({ file }) => this.#expiry.drop(file.id)),
    ];
    this.#working = this.#scan();
    this.#timer = setInterval(() => this.sweep(clock.wall()), SWEEP_MS);
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
    this.#queue(() => this.#scan());
  }

  /** Removes local files that are due. Called by itself now and then. @param now in ms since 1970 */
  sweep(now: number): Promise<void> {
    return this.#queue(() => this.#expiry.sweep(now));
  }

  async url(file: RecordedFile): Promise<string | undefined> {
    const { remote, duration } = file;
    if (remote === undefined || this.#store.settings.playback !== 'redirect') return undefined;
    const seconds = Math.min(LONGEST_URL_SECONDS, URL_MARGIN_SECONDS + Math.ceil(duration / 1000));
    return this.#store.presign(remote, seconds, contentTypeOf(file));
  }

  async read(file: RecordedFile, range?: { readonly offset: number; readonly length: number }): Promise<Readable> {
    const { id, remote } = file;
    if (remote === undefined) throw new ObjectStoreError('missing', `The object store has no copy of recorded file ${id}.`);
    return this.#store.read(remote, range);
  }

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
    await this.#working;
    this.#store.close();
  }

  #consider(file: RecordedFile): void {
    this.#expiry.add(file);
    if (this.#store.settings.bucket !== undefined && file.isLocal && file.remote === undefined) {
      this.#uploads.add(file.id);
    }
  }

  /** One after the other, and each whatever became of the one before. */
  #queue(work: () => Promise<void>): Promise<void> {
    this.#working = this.#working.then(() => (this.#isClosed ? undefined : work()));
    return this.#working;
  }

  /** Looks through the index: what is to be uploaded, what is to be removed here, and what was given up half-way. */
  async #scan(): Promise<void> {
    const { index, log } = this.#options;
    try {
      let after: RecordedFile | undefined;
      do {
        const files = await index.query({ state: 'ready', order: 'oldest', after, limit: PAGE });
        for (const file of files) this.#consider(file);
        after = files.length < PAGE ? undefined : files.at(-1);
      } while (after !== undefined && !this.#isClosed);
      if (this.#store.settings.bucket !== undefined) await this.#giveUpForgotten();
    } catch (error) {
      log.warn({ detail: messageOf(error) }, 'the index could not be looked through for files to upload');
    }
  }

  /** Uploads of files that are deleted, or that were uploaded after all. */
  async #giveUpForgotten(): Promise<void> {
    const { index, journal } = this.#options;
    for (const progress of await journal.load()) {
      const file = await index.get(progress.id);
      if (file === undefined || file.remote !== undefined) await giveUp(this.#store, journal, progress);
    }
  }
}
