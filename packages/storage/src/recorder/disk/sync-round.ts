/** Most files in a round: those who wait for the first of them needn't wait for all. */
export const MAX_ROUND = 32;

/** Of the shared words: rounds begun, files that nobody has taken, files that aren't done, the end; then of each file. */
const ROUND = 0;
const UNTAKEN = 1;
const UNDONE = 2;
const IS_OVER = 3;
const FILES = 4;
const RESULTS = FILES + MAX_ROUND;
const WORDS = RESULTS + MAX_ROUND;
/** Of an error that isn't the system's. */
const NO_ERRNO = 1;

/** Memory that threads share to sync files together. */
export function sharedRound(): SharedArrayBuffer {
  return new SharedArrayBuffer(WORDS * Int32Array.BYTES_PER_ELEMENT);
}

/**
 * A round of files to be synced, as each of several threads has it. One of them begins it and waits until all files are
 * done; all of them take files from it, one at a time.
 */
export class SyncRound {
  readonly #words: Int32Array;
  readonly #sync: (fd: number) => void;

  /** @param sync throws where it fails */
  constructor(shared: SharedArrayBuffer, sync: (fd: number) => void) {
    this.#words = new Int32Array(shared);
    this.#sync = sync;
  }

  /** @param fds no more than `MAX_ROUND`. @returns the system's number of what went wrong with each, or 0 */
  run(fds: readonly number[]): readonly number[] {
    const words = this.#words;
    words.set(fds, FILES);
    Atomics.store(words, UNDONE, fds.length);
    // Whoever is late from the round before takes from this one now, or nothing.
    Atomics.store(words, UNTAKEN, fds.length);
    Atomics.add(words, ROUND, 1);
    Atomics.notify(words, ROUND, fds.length - 1);
    this.#take();
    for (let undone = fds.length; undone > 0; undone = Atomics.load(words, UNDONE)) {
      Atomics.wait(words, UNDONE, undone);
    }
    return [...words.subarray(RESULTS, RESULTS + fds.length)];
  }

  /** Takes part in all rounds until they are ended. */
  help(): void {
    const words = this.#words;
    while (Atomics.load(words, IS_OVER) === 0) {
      const seen = Atomics.load(words, ROUND);
      this.#take();
      Atomics.wait(words, ROUND, seen);
    }
  }

  /** Those that help return. */
  stop(): void {
    Atomics.store(this.#words, IS_OVER, 1);
    Atomics.add(this.#words, ROUND, 1);
    Atomics.notify(this.#words, ROUND);
  }

  #take(): void {
    const words = this.#words;
    for (;;) {
      const at = Atomics.sub(words, UNTAKEN, 1) - 1;
      if (at < 0) return;
      words[RESULTS + at] = this.#attempt(words[FILES + at] ?? -1);
      Atomics.sub(words, UNDONE, 1);
      Atomics.notify(words, UNDONE);
    }
  }

  #attempt(fd: number): number {
    try {
      this.#sync(fd);
      return 0;
    } catch (error) {
      return error instanceof Error ? ((error as NodeJS.ErrnoException).errno ?? NO_ERRNO) : NO_ERRNO;
    }
  }
}
