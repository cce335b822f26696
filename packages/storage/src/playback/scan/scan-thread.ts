import type { Worker } from 'node:worker_threads';
import { MediaError, type Mp4Index } from '@sluice/media';
import { startThread } from '../../worker/start-thread.js';
import type { ScanAnswer, ScanQuestion } from './protocol.js';

interface Waiting {
  readonly resolve: (index: Mp4Index) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Finds out what is in MP4 files, in a thread of its own: the tables of an hour take some 40 ms to read, in which no
 * stream would be served. The thread begins with the first question.
 */
export class ScanThread {
  #worker: Worker | undefined;
  #next = 0;
  #isClosed = false;
  readonly #waiting = new Map<number, Waiting>();

  /**
   * @param fd of a file that stays open until the answer
   * @param size how much of it to look at
   * @throws {MediaError} as `scanMp4`
   * @throws {Error} of the disk, or where the thread has ended
   */
  scan(fd: number, size: number): Promise<Mp4Index> {
    if (this.#isClosed) return Promise.reject(new Error('playback is over'));
    this.#worker ??= this.#start();
    const worker = this.#worker;
    this.#next += 1;
    const question: ScanQuestion = { id: this.#next, fd, size };
    return new Promise((resolve, reject) => {
      this.#waiting.set(question.id, { resolve, reject });
      worker.postMessage(question);
    });
  }

  /** Ends the thread; what is under way fails. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = startThread('scan-thread');
    worker.unref();
    worker.on('message', (answer: ScanAnswer) => this.#settle(answer));
    worker.on('error', (error) => this.#lost(worker, error));
    worker.on('exit', () => this.#lost(worker, new Error('the thread that reads recordings has ended')));
    return worker;
  }

  #settle(answer: ScanAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (answer.kind === 'index') waiting?.resolve(withBuffers(answer.index));
    else if (answer.code === undefined) waiting?.reject(new Error(answer.message));
    else waiting?.reject(new MediaError(answer.code, answer.message));
  }

  /** The next question begins another one. */
  #lost(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/** Between threads a Buffer turns into an array of bytes. */
function withBuffers(index: Mp4Index): Mp4Index {
  return {
    ...index,
    tracks: index.tracks.map((track) => {
      const { buffer, byteOffset, byteLength } = track.config.description;
      return { ...track, config: { ...track.config, description: Buffer.from(buffer, byteOffset, byteLength) } };
    }),
  };
}
