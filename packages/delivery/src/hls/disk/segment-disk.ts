import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Logger, messageOf } from '@sluice/core';
import { DiskQueue } from './disk-queue.js';

/** Why a segment isn't on disk, or not any more. */
export type DiskTrouble = 'disk-slow' | 'disk-failed' | 'disk-full';

/** What becomes of the segments of one output. */
export interface FolderEvents {
  /** It can be read from disk from now on. */
  stored(number: number): void;
  /** It can't be read from disk. @param detail what the system said */
  lost(number: number, trouble: DiskTrouble, detail: string): void;
}

/** The segments of one output on disk. */
export interface SegmentFolder {
  /** Writes a segment some time soon; the bytes must not change. */
  write(number: number, bytes: Buffer): void;
  /** Size of what can be read, in bytes. */
  sizeOf(number: number): number | undefined;
  /** @returns undefined where the file is gone, which is told by `lost` too; the caller closes it */
  open(number: number): Promise<FileHandle | undefined>;
  remove(number: number): void;
  /** Removes all. */
  close(): void;
}

export interface SegmentDiskOptions {
  readonly directory: string;
  /** Most bytes on disk. */
  readonly maxBytes: () => number;
  readonly log: Logger;
}

interface StoredFile {
  readonly folder: Folder;
  readonly number: number;
  readonly bytes: number;
}

/** Bytes in memory that may wait for a slow disk, of all streams together. */
const MAX_WAITING_BYTES = 128 * 1024 * 1024;
/** Of what a full file system is asked to hold, so much more is removed: file systems count in blocks. */
const SPACE_FACTOR = 2;
/** A disk that hangs doesn't keep the server from stopping. */
const CLOSE_PATIENCE_MS = 3000;
/** Folders have no other names; what else is in the directory is somebody else's. */
const FOLDER = /^stream-[0-9a-f]{16}$/;

/** Keeps segments on disk, a folder for each output, within a bound that all of them share. */
export class SegmentDisk {
  readonly #options: SegmentDiskOptions;
  readonly #queue = new DiskQueue(MAX_WAITING_BYTES);
  /** Oldest first. */
  readonly #files = new Set<StoredFile>();
  #bytes = 0;

  constructor(options: SegmentDiskOptions) {
    this.#options = options;
  }

  /** Bytes on disk. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Removes what a server that crashed has left. To be called before the first folder is made. */
  async clean(): Promise<void> {
    const { directory, log } = this.#options;
    try {
      const left = (await readdir(directory)).filter((name) => FOLDER.test(name));
      await Promise.all(left.map((name) => rm(join(directory, name), { recursive: true, force: true })));
      if (left.length > 0) log.info({ directory, streams: left.length }, 'segments of an earlier run were removed');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      log.warn({ directory, error: messageOf(error) }, 'segments of an earlier run could not be removed');
    }
  }

  /** A folder for an output; it is made when the first segment is written. */
  folder(events: FolderEvents): SegmentFolder {
    const directory = join(this.#options.directory, `stream-${randomBytes(8).toString('hex')}`);
    return new Folder(directory, events, {
      queue: this.#queue,
      log: this.#options.log,
      makeRoom: (bytes) => this.#makeRoom(bytes),
      freeSpace: (bytes) => this.#freeSpace(bytes),
      added: (file) => {
        this.#files.add(file);
        this.#bytes += file.bytes;
      },
      removed: (file) => {
        if (this.#files.delete(file)) this.#bytes -= file.bytes;
      },
    });
  }

  /** Resolves when what was to be written or removed has been. */
  close(): Promise<void> {
    return this.#queue.idle(CLOSE_PATIENCE_MS);
  }

  /** The oldest go first, whose stream they are of. @returns whether there is room now */
  #makeRoom(bytes: number): boolean {
    const max = this.#options.maxBytes();
    if (bytes > max) return false;
    for (const { folder, number } of this.#files) {
      if (this.#bytes + bytes <= max) break;
      folder.evict(number, `hls.diskMaxBytes is ${max}`);
    }
    return true;
  }

  /** Where the file system is full before the bound is reached. @returns whether so much has been removed */
  async #freeSpace(bytes: number): Promise<boolean> {
    let freed = 0;
    const gone: Promise<void>[] = [];
    for (const { folder, number, bytes: size } of this.#files) {
      if (freed >= bytes * SPACE_FACTOR) break;
      freed += size;
      gone.push(folder.evictNow(number));
    }
    await Promise.all(gone);
    return freed >= bytes;
  }
}

function isFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** What folders share. */
interface Shared {
  readonly queue: DiskQueue;
  readonly log: Logger;
  makeRoom(bytes: number): boolean;
  freeSpace(bytes: number): Promise<boolean>;
  added(file: StoredFile): void;
  removed(file: StoredFile): void;
}

class Folder implements SegmentFolder {
  readonly #directory: string;
  readonly #events: FolderEvents;
  readonly #shared: Shared;
  readonly #files = new Map<number, StoredFile>();
  /** Given to be written, and wanted still. */
  readonly #pending = new Set<number>();
  #closed = false;

  constructor(directory: string, events: FolderEvents, shared: Shared) {
    this.#directory = directory;
    this.#events = events;
    this.#shared = shared;
  }

  write(number: number, bytes: Buffer): void {
    const { queue } = this.#shared;
    if (!queue.hasRoom(bytes.length)) {
      this.#events.lost(number, 'disk-slow', 'too much waits to be written');
      return;
    }
    this.#pending.add(number);
    queue.add(() => this.#write(number, bytes), bytes.length);
  }

  sizeOf(number: number): number | undefined {
    return this.#files.get(number)?.bytes;
  }

  async open(number: number): Promise<FileHandle | undefined> {
    if (!this.#files.has(number)) return undefined;
    try {
      return await open(this.#fileOf(number), 'r');
    } catch (error) {
      // It may have left the window while it was being opened.
      if (this.#forget(number)) this.#events.lost(number, 'disk-failed', messageOf(error));
      return undefined;
    }
  }

  remove(number: number): void {
    this.#pending.delete(number);
    if (this.#forget(number)) this.#unlink(number);
  }

  /** Takes a segment away that is still listed, for others to have room. */
  evict(number: number, detail: string): void {
    this.remove(number);
    this.#events.lost(number, 'disk-full', detail);
  }

  /** The same, where the space is needed at once. */
  async evictNow(number: number): Promise<void> {
    if (!this.#forget(number)) return;
    this.#events.lost(number, 'disk-full', 'the file system is full');
    await this.#removeFile(number);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#pending.clear();
    for (const number of [...this.#files.keys()]) this.#forget(number);
    this.#removeDirectory();
  }

  async #write(number: number, bytes: Buffer): Promise<void> {
    if (!this.#pending.has(number)) return;
    if (!this.#shared.makeRoom(bytes.length)) {
      this.#pending.delete(number);
      this.#events.lost(number, 'disk-full', `a segment of ${bytes.length} bytes is more than hls.diskMaxBytes`);
      return;
    }
    try {
      await this.#writeFile(number, bytes).catch(async (error: unknown) => {
        // Others use the disk, too: a shorter window is better than none.
        if (!isFull(error) || !(await this.#shared.freeSpace(bytes.length))) throw error;
        await this.#writeFile(number, bytes);
      });
    } catch (error) {
      this.#unlink(number);
      const trouble = isFull(error) ? 'disk-full' : 'disk-failed';
      if (this.#pending.delete(number)) this.#events.lost(number, trouble, messageOf(error));
      return;
    }
    if (!this.#pending.delete(number)) {
      // It left the window while it was being written, or all is over, and this has made the directory anew.
      if (this.#closed) this.#removeDirectory();
      else this.#unlink(number);
      return;
    }
    const file = { folder: this, number, bytes: bytes.length };
    this.#files.set(number, file);
    this.#shared.added(file);
    this.#events.stored(number);
  }

  async #writeFile(number: number, bytes: Buffer): Promise<void> {
    const file = this.#fileOf(number);
    try {
      await writeFile(file, bytes, { mode: 0o600 });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      // The first one; or somebody removed the directory.
      await mkdir(this.#directory, { recursive: true, mode: 0o700 });
      await writeFile(file, bytes, { mode: 0o600 });
    }
  }

  #forget(number: number): boolean {
    const file = this.#files.get(number);
    if (file === undefined) return false;
    this.#files.delete(number);
    this.#shared.removed(file);
    return true;
  }

  #removeDirectory(): void {
    this.#shared.queue.add(async () => {
      const options = { recursive: true, force: true };
      await rm(this.#directory, options).catch((error: unknown) => this.#reportLeft(error));
    });
  }

  #unlink(number: number): void {
    this.#shared.queue.add(() => this.#removeFile(number));
  }

  async #removeFile(number: number): Promise<void> {
    await rm(this.#fileOf(number), { force: true }).catch((error: unknown) => this.#reportLeft(error));
  }

  /** What is left goes at the next start. */
  #reportLeft(error: unknown): void {
    this.#shared.log.warn({ error: messageOf(error) }, 'a segment could not be removed from disk');
  }

  #fileOf(number: number): string {
    return join(this.#directory, `${number}.seg`);
  }
}
