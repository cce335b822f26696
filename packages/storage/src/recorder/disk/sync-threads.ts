import { fdatasyncSync } from 'node:fs';
import { getSystemErrorName } from 'node:util';
import { startThread } from '../../worker/start-thread.js';
import { SyncRound, sharedRound } from './sync-round.js';
import { ThreadProgress } from './thread-watch.js';

/** What a thread that syncs begins with. */
export interface SyncThreadData {
  /** Of the round. */
  readonly shared: SharedArrayBuffer;
  /** Of the `ThreadWatch`. */
  readonly progress: SharedArrayBuffer;
}

/** Besides the one that asks. */
const THREADS = 3;
/** So few are synced before others could be asked to help. */
const FEW = 8;

/**
 * Syncs many files at a time. A file system commits its journal once for all who wait for it, and a disk is quicker
 * when it has several things to do; one after the other, each file would wait for a commit of its own.
 */
export class SyncThreads {
  readonly #shared = sharedRound();
  readonly #progress: SharedArrayBuffer;
  readonly #round: SyncRound;
  #areRunning = false;

  /** @param progress of the `ThreadWatch`: it is told of each file */
  constructor(progress: SharedArrayBuffer) {
    this.#progress = progress;
    this.#round = new SyncRound(this.#shared, syncWith(progress));
  }

  /** @param fds no more than `MAX_ROUND`. @returns of each what went wrong, undefined where nothing did */
  sync(fds: readonly number[]): readonly (Error | undefined)[] {
    if (!this.#areRunning && fds.length > FEW) this.#run();
    return this.#round.run(fds).map(errorOf);
  }

  stop(): void {
    this.#round.stop();
  }

  #run(): void {
    this.#areRunning = true;
    const workerData: SyncThreadData = { shared: this.#shared, progress: this.#progress };
    for (let count = 0; count < THREADS; count++) {
      // One that can't begin has taken nothing: the others do its share.
      startThread('sync-thread', workerData).on('error', () => {});
    }
  }
}

/** Syncs one file, and says so to the watch. */
export function syncWith(progress: SharedArrayBuffer): (fd: number) => void {
  const told = new ThreadProgress(progress);
  return (fd) => {
    try {
      fdatasyncSync(fd);
    } finally {
      told.step();
    }
  };
}

function errorOf(errno: number): Error | undefined {
  if (errno === 0) return undefined;
  const code = errno < 0 ? getSystemErrorName(errno) : 'UNKNOWN';
  return Object.assign(new Error(`${code}: fdatasync failed`), { code, errno, syscall: 'fdatasync' });
}
