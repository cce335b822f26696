import type { RecordingTrouble } from '@sluice/core';
import type { DiskCall, DiskNews, ReservedRoom } from './protocol.js';

/** What becomes of a file that grows. Never called from within a call to it. */
export interface GrowingFileEvents {
  /** The first bytes are on the disk, in a file of this name: that asked for, or with a number behind it. */
  opened(file: string): void;
  /** The first `bytes` of the file are on the disk. */
  flushed(bytes: number): void;
  /**
   * Nothing more is taken, and the file is closed with what is good of it. Told once. Where `opened` didn't come before,
   * no file is left; but after `disk-slow`, what was appended before is still written as the disk can, and told of.
   */
  failed(trouble: RecordingTrouble, detail: string): void;
}

/** A file that grows. */
export interface GrowingFile {
  /** Takes the buffer over: it can't be used any more. After a failure nothing is done with it. */
  append(bytes: Buffer): void;
  /** Resolves when what was appended is on the disk and the file is closed, also where it failed. */
  close(): Promise<void>;
}

export interface GrowingFileOptions {
  /** Room that is kept for what is known at the end. */
  readonly reserve?: ReservedRoom | undefined;
}

/** What a file needs of the disk that it is on. */
export interface FileLink {
  post(call: DiskCall, transfer: readonly ArrayBuffer[]): void;
  /** @returns why `bytes` more can't wait */
  refuses(bytes: number): string | undefined;
  /** More or fewer bytes wait now. */
  waiting(change: number): void;
}

/** The main thread's side of a file that the disk thread writes. */
export class WrittenFile implements GrowingFile {
  readonly id: number;
  /** Resolves when the disk thread is done with it. */
  readonly released: Promise<void>;
  readonly #events: GrowingFileEvents;
  readonly #link: FileLink;
  #release: () => void = () => {};
  #file: string | undefined;
  #state: 'open' | 'closing' | 'failed' = 'open';
  #waiting = 0;

  constructor(id: number, events: GrowingFileEvents, link: FileLink) {
    this.id = id;
    this.#events = events;
    this.#link = link;
    this.released = new Promise((done) => {
      this.#release = done;
    });
  }

  /** The name that it has, once something of it is on the disk. */
  get file(): string | undefined {
    return this.#file;
  }

  append(bytes: Buffer): void {
    if (this.#state !== 'open' || bytes.length === 0) return;
    const refusal = this.#link.refuses(bytes.length);
    if (refusal !== undefined) {
      this.fail('disk-slow', refusal);
      return;
    }
    this.#waiting += bytes.length;
    this.#link.waiting(bytes.length);
    const own = ownBytes(bytes);
    this.#link.post({ kind: 'append', id: this.id, bytes: own }, [own.buffer]);
  }

  close(): Promise<void> {
    if (this.#state === 'open') {
      this.#state = 'closing';
      this.#link.post({ kind: 'close', id: this.id }, []);
    }
    return this.released;
  }

  /** It takes no more. What was appended before is still written when the disk can. */
  fail(trouble: RecordingTrouble, detail: string): void {
    if (this.#state === 'failed') return;
    if (this.#state === 'open') this.#link.post({ kind: 'close', id: this.id }, []);
    this.#state = 'failed';
    queueMicrotask(() => this.#events.failed(trouble, detail));
  }

  /** @returns whether nothing more comes of it */
  take(news: DiskNews): boolean {
    switch (news.kind) {
      case 'opened':
        this.#file = news.file;
        this.#events.opened(news.file);
        return false;
      case 'flushed':
        this.#done(news.taken);
        this.#events.flushed(news.length);
        return false;
      case 'closed':
        this.end();
        return true;
      case 'failed': {
        const isKnown = this.#state === 'failed';
        this.#state = 'failed';
        this.end();
        if (!isKnown) this.#events.failed(news.trouble, news.detail);
        return true;
      }
      default:
        return false;
    }
  }

  /** The thread has ended: nothing is known of what was waiting. */
  abandon(detail: string): void {
    if (this.#state !== 'failed') this.fail('disk-failed', detail);
    this.end();
  }

  /** Nothing waits any more, and nothing more comes of it. */
  end(): void {
    this.#done(this.#waiting);
    this.#release();
  }

  #done(bytes: number): void {
    this.#waiting -= bytes;
    this.#link.waiting(-bytes);
  }
}

/** Bytes with a buffer of their own, which can change threads: a copy where they share one. */
function ownBytes(bytes: Buffer): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes;
  const isOwn = buffer instanceof ArrayBuffer && buffer.byteLength === bytes.length;
  return isOwn ? new Uint8Array(buffer) : new Uint8Array(bytes);
}
