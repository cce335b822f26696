import type { Logger, RecordingContainer } from '@sluice/core';
import { DiskThread } from './disk-thread.js';
import { RecordingDiskError } from './errors.js';
import { Finisher } from './finisher.js';
import type { CheckResult, ExpectedFile, FinishedFile, FoundFile } from './finisher-protocol.js';
import { type GrowingFile, type GrowingFileEvents, type GrowingFileOptions, WrittenFile } from './growing-file.js';
import type { DiskNews, DiskSpace } from './protocol.js';

/** A call of the system that takes so long hangs. */
const SLOW_MS = 10_000;

interface Question {
  readonly resolve: (space: DiskSpace) => void;
  readonly reject: (error: RecordingDiskError) => void;
}

/**
 * The disk that recordings are on. Two threads do all calls of the system, so that a disk that hangs holds up neither
 * streams nor anything else: one writes the files that grow (with a few to help it where it has many to sync), the other
 * finishes, checks and removes. A thread that dies is begun anew with the next call.
 */
export class RecordingDisk {
  readonly #root: string;
  readonly #maxWaitingBytes: () => number;
  readonly #log: Logger;
  readonly #slowMs: number;
  readonly #finisher: Finisher;
  readonly #files = new Map<number, WrittenFile>();
  readonly #questions = new Map<number, Question>();
  readonly #hangWaiters: (() => void)[] = [];
  #thread: DiskThread | undefined;
  #next = 0;
  #waitingBytes = 0;
  #isClosed = false;

  private constructor(options: RecordingDiskOptions) {
    this.#root = options.root;
    this.#maxWaitingBytes = options.maxWaitingBytes;
    this.#log = options.log;
    this.#slowMs = options.slowMs ?? SLOW_MS;
    this.#finisher = new Finisher({ ...options, slowMs: this.#slowMs });
  }

  static start(options: RecordingDiskOptions): RecordingDisk {
    return new RecordingDisk(options);
  }

  /** Bytes that were appended and aren't on the disk. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /**
   * Whether a call of the system hasn't come back for too long. After `close()` too: the process can't end by itself
   * before it has, but by a signal that kills it, where the call can be interrupted.
   */
  get isHung(): boolean {
    return this.#isWriterHung || this.#finisher.isHung;
  }

  get #isWriterHung(): boolean {
    return this.#thread?.isHung ?? false;
  }

  /**
   * Begins a file, and its directories. Where the name is taken it gets a number: `opened` tells. All that goes wrong
   * is told by `failed`.
   *
   * @param file under the root, with `/` between names
   */
  create(file: string, events: GrowingFileEvents, options: GrowingFileOptions): GrowingFile {
    const id = this.#next++;
    const refusal = this.#refusal();
    if (refusal !== undefined) return refused(id, events, refusal);
    const thread = this.#running();
    const written = new WrittenFile(id, events, {
      post: (call, transfer) => thread.post(call, transfer),
      refuses: (bytes) => this.#overflow(bytes, this.#maxWaitingBytes()),
      waiting: (change) => {
        this.#waitingBytes += change;
      },
    });
    this.#files.set(id, written);
    thread.post({ kind: 'open', id, file, reserve: options.reserve }, []);
    return written;
  }

  /**
   * Makes a file whole: cuts off what is incomplete, writes its index or tables, and takes its checksum. Of one that is
   * whole already it takes the checksum only. Waits where the file still grows.
   *
   * @throws {RecordingDiskError} `unreadable` where nothing in it can be played, `missing`, `disk-full`, `disk-failed`,
   *   `closed`
   */
  async finish(file: string, container: RecordingContainer): Promise<FinishedFile> {
    await this.#released(file);
    return this.#finisher.finish(file, container);
  }

  /**
   * Whether a file is what it was when it was finished. Waits behind all that is to be finished.
   *
   * @throws {RecordingDiskError} `disk-failed`, `closed`
   */
  check(file: string, expected: ExpectedFile): Promise<CheckResult> {
    return this.#finisher.check(file, expected);
  }

  /**
   * Removes a file, and its directories where they are empty then.
   *
   * @returns whether it was there
   * @throws {RecordingDiskError} `bad-name`, `disk-failed`, `closed`
   */
  async remove(file: string): Promise<boolean> {
    await this.#released(file);
    return this.#finisher.remove(file);
  }

  /**
   * All ordinary files under the root, those that grow too.
   *
   * @throws {RecordingDiskError} `disk-failed`, `closed`
   */
  list(): Promise<readonly FoundFile[]> {
    return this.#finisher.list();
  }

  /** @throws {RecordingDiskError} `disk-failed` where the root isn't there, or doesn't answer; `closed` */
  space(): Promise<DiskSpace> {
    const refusal = this.#isClosed ? 'the recording disk is closed' : undefined;
    if (refusal !== undefined) return Promise.reject(new RecordingDiskError('closed', refusal));
    if (this.#isWriterHung) return Promise.reject(new RecordingDiskError('disk-failed', this.#hungDetail()));
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#questions.set(id, { resolve, reject });
      this.#running().post({ kind: 'space', id }, []);
    });
  }

  /**
   * Closes the files that grow, with all that was appended, and ends the threads. Jobs of the finisher that aren't done
   * fail with `closed`; what they left is finished the next time. While the disk hangs this waits no longer than one
   * call may take.
   */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const finisherClosed = this.#finisher.close();
    for (const file of this.#files.values()) void file.close();
    const thread = this.#thread;
    if (thread !== undefined) {
      const stopped = await Promise.race([thread.stop().then(() => true), this.#whenHung(thread).then(() => false)]);
      if (!stopped) this.#giveUp(thread);
    }
    await finisherClosed;
  }

  #giveUp(thread: DiskThread): void {
    this.#log.error(
      { waitingBytes: this.#waitingBytes, files: this.#files.size },
      `${this.#hungDetail()}: the recordings are left as they are`,
    );
    void thread.kill();
    this.#abandonAll(this.#hungDetail());
  }

  /** @returns why no file can be begun */
  #refusal(): { readonly trouble: 'disk-slow' | 'disk-failed'; readonly detail: string } | undefined {
    if (this.#isClosed) return { trouble: 'disk-failed', detail: 'the recording disk is closed' };
    if (this.#isWriterHung) return { trouble: 'disk-slow', detail: this.#hungDetail() };
    // Half of it, so that it isn't full again at once.
    const overflow = this.#overflow(0, this.#maxWaitingBytes() / 2);
    return overflow === undefined ? undefined : { trouble: 'disk-slow', detail: overflow };
  }

  #overflow(bytes: number, limit: number): string | undefined {
    if (this.#waitingBytes + bytes <= limit) return undefined;
    const allowed = this.#maxWaitingBytes();
    return `${this.#waitingBytes} bytes wait for the disk; recording.maxWaitingBytes is ${allowed}`;
  }

  #hungDetail(): string {
    return `a call of the system for ${this.#root} has taken more than ${this.#slowMs / 1000} s`;
  }

  async #released(file: string): Promise<void> {
    for (const written of this.#files.values()) if (written.file === file) await written.released;
  }

  #running(): DiskThread {
    if (this.#thread !== undefined) return this.#thread;
    const thread = new DiskThread({
      root: this.#root,
      slowMs: this.#slowMs,
      events: {
        news: (news) => this.#take(news),
        hung: (isHung) => this.#takeHung(isHung),
        ended: (detail) => this.#takeEnd(thread, detail),
      },
    });
    this.#thread = thread;
    return thread;
  }

  #take(news: DiskNews): void {
    if (news.kind === 'space' || news.kind === 'space-unknown') {
      const question = this.#questions.get(news.id);
      this.#questions.delete(news.id);
      if (news.kind === 'space') question?.resolve(news.space);
      else question?.reject(new RecordingDiskError('disk-failed', news.detail));
      return;
    }
    if (this.#files.get(news.id)?.take(news) === true) this.#files.delete(news.id);
  }

  #takeHung(isHung: boolean): void {
    if (!isHung) {
      this.#log.warn({ waitingBytes: this.#waitingBytes }, `the disk of ${this.#root} answers again`);
      return;
    }
    this.#log.error({ waitingBytes: this.#waitingBytes }, this.#hungDetail());
    for (const file of this.#files.values()) file.fail('disk-slow', this.#hungDetail());
    this.#failQuestions(new RecordingDiskError('disk-failed', this.#hungDetail()));
    for (const wake of this.#hangWaiters.splice(0)) wake();
  }

  #takeEnd(thread: DiskThread, detail: string | undefined): void {
    if (this.#thread === thread) this.#thread = undefined;
    if (detail === undefined) return;
    this.#log.error({ detail }, 'the thread that writes recordings has ended');
    this.#abandonAll(`the thread that writes recordings has ended: ${detail}`);
  }

  #abandonAll(detail: string): void {
    const files = [...this.#files.values()];
    this.#files.clear();
    for (const file of files) file.abandon(detail);
    this.#failQuestions(new RecordingDiskError('disk-failed', detail));
  }

  #failQuestions(error: RecordingDiskError): void {
    const questions = [...this.#questions.values()];
    this.#questions.clear();
    for (const { reject } of questions) reject(error);
  }

  #whenHung(thread: DiskThread): Promise<void> {
    if (thread.isHung) return Promise.resolve();
    return new Promise((done) => this.#hangWaiters.push(done));
  }
}

export interface RecordingDiskOptions {
  /** The directory that all files are in; made where it is missing. */
  readonly root: string;
  readonly maxWaitingBytes: () => number;
  readonly log: Logger;
  /** Ms that a call of the system may take. */
  readonly slowMs?: number;
}

function refused(
  id: number,
  events: GrowingFileEvents,
  { trouble, detail }: { readonly trouble: 'disk-slow' | 'disk-failed'; readonly detail: string },
): GrowingFile {
  const file = new WrittenFile(id, events, { post: () => {}, refuses: () => undefined, waiting: () => {} });
  file.fail(trouble, detail);
  file.end();
  return file;
}
