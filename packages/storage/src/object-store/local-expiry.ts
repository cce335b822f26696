import { type Logger, messageOf, type RecordedFile, type RecordingIndex } from '@sluice/core';
import type { RecordingRemover } from '../recorder/recording-remover.js';
import type { ObjectStore } from './object-store.js';
import { isCopyOf } from './upload-file.js';

export interface LocalExpiryOptions {
  readonly store: ObjectStore;
  readonly index: RecordingIndex;
  readonly remover: RecordingRemover;
  /** Uploads a file again, whose copy is not what was uploaded. */
  readonly uploadAgain: (id: string) => void;
  readonly log: Logger;
}

/**
 * Removes files from this machine a while after the object store has them
 * (`recording.s3.deleteLocalAfterSeconds`): each only when the store has just said that its copy is whole.
 */
export class LocalExpiry {
  readonly #options: LocalExpiryOptions;
  /** Files that are in both places, with the time of their upload. */
  readonly #uploadedAt = new Map<string, number>();

  #trouble: string | undefined;

  constructor(options: LocalExpiryOptions) {
    this.#options = options;
  }

  /** Takes note of a file that is in both places. */
  add({ id, remote, isLocal }: RecordedFile): void {
    if (remote !== undefined && isLocal) this.#uploadedAt.set(id, remote.uploadedAt);
  }

  /** Forgets a file that is removed by others. */
  drop(id: string): void {
    this.#uploadedAt.delete(id);
  }

  /**
   * Removes what is due. What can't be removed now is tried again by the next call.
   *
   * @param now in ms since 1970
   */
  async sweep(now: number): Promise<void> {
    const { log } = this.#options;
    const { deleteLocalAfterSeconds: after } = this.#options.store.settings;
    if (after === undefined) return;
    for (const [id, uploadedAt] of this.#uploadedAt) {
      if (uploadedAt + after * 1000 > now) continue;
      try {
        await this.#remove(id);
        this.#trouble = undefined;
      } catch (error) {
        const detail = messageOf(error);
        if (detail !== this.#trouble) log.warn({ id, detail }, 'recorded files stay here, though they are due');
        this.#trouble = detail;
        return;
      }
    }
  }

  async #remove(id: string): Promise<void> {
    const { store, index, remover, uploadAgain, log } = this.#options;
    const file = await index.get(id);
    this.#uploadedAt.delete(id);
    if (file?.remote === undefined || !file.isLocal || file.state !== 'ready') return;
    try {
      if (isCopyOf(file, await store.head(file.remote))) {
        await remover.removeHere(file, 'moved');
        return;
      }
    } catch (error) {
      this.add(file);
      throw error;
    }
    log.error(
      { file: file.file, ...file.remote },
      'the copy of a recorded file is gone or not whole: it is uploaded again',
    );
    await index.put({ ...file, remote: undefined });
    uploadAgain(id);
  }
}
