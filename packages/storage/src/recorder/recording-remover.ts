import {
  type EventBus,
  type LifecycleEvents,
  type RecordedFile,
  type RecordingIndex,
  type RecordingRemoval,
  Refusal,
  type RemovalOutcome,
} from '@sluice/core';
import { ObjectStoreError } from '../object-store/errors.js';
import { RecordingDiskError } from './disk/errors.js';
import type { RecordingDisk } from './disk/recording-disk.js';

/** Of a file that the index knows on this disk. */
export const GONE = 'it is not on the disk any more';

export type RemovalReason = LifecycleEvents['recording-file-removed']['reason'];

export interface RecordingRemoverOptions {
  readonly index: RecordingIndex;
  readonly disk: Pick<RecordingDisk, 'remove'>;
  readonly events: EventBus;
  /** Removes the copy in the object store; undefined where none is configured, whose copies stay then. */
  readonly removeRemote?: ((file: RecordedFile) => Promise<void>) | undefined;
}

/**
 * Removes files: first from the disk, then from the index. A crash between the two leaves an entry whose file is
 * missing, which is told by the next check; the other way round would leave a file that comes back at the next start.
 */
export class RecordingRemover implements RecordingRemoval {
  readonly #options: RecordingRemoverOptions;
  /** The last removal that was asked for, of files that are being removed. */
  readonly #removals = new Map<string, Promise<unknown>>();

  constructor(options: RecordingRemoverOptions) {
    this.#options = options;
  }

  /** Because somebody asked for it. */
  remove(id: string): Promise<RemovalOutcome> {
    return this.#inTurn(id, async (file) => {
      if (file === undefined) return 'unknown';
      if (file.state === 'writing') return 'being-written';
      if (file.isKept) return 'kept';
      try {
        await this.#removeEverywhere(file, 'asked');
      } catch (error) {
        throw refusalOf(id, error);
      }
      return (await this.#options.index.get(id)) === undefined ? 'removed' : 'remote-stays';
    });
  }

  /**
   * Removes it from this machine, from the object store, and from the index.
   *
   * @returns false where nothing was left to be done: it is gone already, or only an object store has it that isn't
   *   configured any more
   * @throws {RecordingDiskError} where the file can't be removed
   */
  removeEverywhere({ id }: RecordedFile, reason: RemovalReason): Promise<boolean> {
    return this.#inTurn(id, async (file) => isSettled(file) && !file.isKept && this.#removeEverywhere(file, reason));
  }

  /**
   * Removes it from this machine, for want of room. Where the object store has a copy, that one stays. An entry whose
   * file isn't there stays too: its disk may only be away.
   *
   * @returns whether it was there
   * @throws {RecordingDiskError} where the file can't be removed
   */
  removeHere({ id }: RecordedFile, reason: RemovalReason): Promise<boolean> {
    return this.#inTurn(id, async (file) => mayLeave(file) && this.#removeHere(file, reason));
  }

  async #removeEverywhere(file: RecordedFile, reason: RemovalReason): Promise<boolean> {
    const { index, disk, events, removeRemote } = this.#options;
    if (file.remote !== undefined && removeRemote === undefined) {
      if (file.isLocal) await this.#removeHere(file, reason);
      return file.isLocal;
    }
    // First what is likely to fail, so that nothing is half gone then.
    if (file.remote !== undefined) await removeRemote?.(file);
    if (file.isLocal) await disk.remove(file.file);
    await index.delete(file.id);
    events.emit('recording-file-removed', { file, reason });
    return true;
  }

  async #removeHere(file: RecordedFile, reason: RemovalReason): Promise<boolean> {
    const { index, disk, events } = this.#options;
    const wasThere = await disk.remove(file.file);
    if (file.remote !== undefined) {
      const left: RecordedFile = { ...file, isLocal: false };
      await index.put(left);
      events.emit('recording-file-removed', { file: left, reason });
    } else if (wasThere) {
      await index.delete(file.id);
      events.emit('recording-file-removed', { file, reason });
    } else {
      const lost: RecordedFile = { ...file, state: 'missing', isLocal: false, reason: GONE };
      await index.put(lost);
      events.emit('recording-file-damaged', { file: lost, reason: GONE });
    }
    return wasThere;
  }

  /** One removal of a file after the other, each of its entry as it is by then: that of the caller may be old. */
  async #inTurn<T>(id: string, act: (file: RecordedFile | undefined) => Promise<T>): Promise<T> {
    const before = this.#removals.get(id);
    const removal = (async () => {
      await before?.catch(() => {});
      return act(await this.#options.index.get(id));
    })();
    this.#removals.set(id, removal);
    try {
      return await removal;
    } finally {
      if (this.#removals.get(id) === removal) this.#removals.delete(id);
    }
  }
}

/** Whether there is a file that isn't being written. */
function isSettled(file: RecordedFile | undefined): file is RecordedFile {
  return file !== undefined && file.state !== 'writing';
}

/** What is to be kept leaves this machine only where the object store has it. */
function mayLeave(file: RecordedFile | undefined): file is RecordedFile {
  return isSettled(file) && file.isLocal && (!file.isKept || file.remote !== undefined);
}

/** What is amiss now and may not be soon, as a refusal; other errors as they are. */
function refusalOf(id: string, error: unknown): unknown {
  const isPassing =
    error instanceof ObjectStoreError || (error instanceof RecordingDiskError && error.code !== 'bad-name');
  return isPassing
    ? new Refusal('unavailable', `recorded file ${id} stays: ${error.message}`, { cause: error })
    : error;
}
