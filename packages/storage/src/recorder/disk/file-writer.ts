import * as nodeFs from 'node:fs';
import { join } from 'node:path';
import { RecordingDiskError, systemCodeOf, troubleOf } from './errors.js';
import { makePlace, numberedName, syncDirectory } from './place.js';
import type { DiskCall, DiskNews, DiskSpace } from './protocol.js';
import { MAX_ROUND } from './sync-round.js';

/** Brings files to the disk. @returns of each what went wrong, undefined where nothing did */
export type SyncFiles = (fds: readonly number[]) => readonly (Error | undefined)[];

/** Calls of the system that tests let fail. */
export type FileCalls = Pick<
  typeof nodeFs,
  'openSync' | 'writeSync' | 'fdatasyncSync' | 'ftruncateSync' | 'closeSync' | 'fstatSync' | 'lstatSync' | 'statfsSync'
>;

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = nodeFs.constants;
const FILE_MODE = 0o640;
/** Files of one name. */
const MAX_NUMBER = 1000;
const MAX_ATTEMPTS = 3;
/** Once the disk was full, so much must be free before a file is begun; on a small disk a twentieth of it. */
const ROOM_TO_GO_ON = 64 * 1024 * 1024;
const ROOM_SHARE = 20;

interface WrittenFile {
  readonly id: number;
  readonly fd: number;
  readonly path: string;
  /** Its place under the root, as it came to be. */
  readonly file: string;
  readonly device: bigint;
  readonly inode: bigint;
  readonly reserve: { readonly at: number; readonly bytes: number } | undefined;
  /** Directories to be synced with the first bytes. */
  changed: readonly string[];
  /** Up to here it is written, and on the disk. */
  end: number;
  synced: number;
  /** Bytes of appends that nothing was told of yet. */
  taken: number;
}

/**
 * Files that grow, by synchronous calls: what the disk thread does. Calls are taken one after another, and `sync()`
 * brings them to the disk: each file that something was written to is synced once, however much it was.
 */
export class FileWriter {
  readonly #root: string;
  readonly #fs: FileCalls;
  readonly #tell: (news: DiskNews) => void;
  readonly #progress: () => void;
  readonly #syncFiles: SyncFiles;
  readonly #files = new Map<number, WrittenFile>();
  readonly #dirty = new Set<WrittenFile>();
  readonly #closing = new Set<WrittenFile>();
  #wasFull = false;

  /**
   * @param options.progress called after each call of the system
   * @param options.syncFiles by default, one after the other
   */
  constructor(options: {
    root: string;
    tell: (news: DiskNews) => void;
    progress?: () => void;
    syncFiles?: SyncFiles;
    fs?: FileCalls;
  }) {
    this.#root = options.root;
    this.#tell = options.tell;
    this.#progress = options.progress ?? (() => {});
    this.#fs = options.fs ?? nodeFs;
    this.#syncFiles = options.syncFiles ?? ((fds) => fds.map((fd) => this.#syncError(fd)));
  }

  take(call: DiskCall): void {
    switch (call.kind) {
      case 'open':
        this.#open(call);
        break;
      case 'append':
        this.#append(call.id, call.bytes);
        break;
      case 'close': {
        const file = this.#files.get(call.id);
        if (file !== undefined) this.#closing.add(file);
        break;
      }
      case 'space':
        this.#tellSpace(call.id);
    }
    this.#progress();
  }

  /** Brings what was appended to the disk, and closes what is to be closed. */
  sync(): void {
    const dirty = [...this.#dirty];
    for (let from = 0; from < dirty.length; from += MAX_ROUND) this.#syncAll(dirty.slice(from, from + MAX_ROUND));
    this.#dirty.clear();
    for (const file of this.#closing) {
      if (this.#files.has(file.id)) this.#close(file);
      this.#progress();
    }
    this.#closing.clear();
  }

  #open({ id, file, reserve }: Extract<DiskCall, { kind: 'open' }>): void {
    try {
      if (this.#wasFull) this.#checkRoom();
      const { directory, changed, fd, free } = this.#openPlace(file);
      const { dev, ino } = this.#fs.fstatSync(fd, { bigint: true });
      this.#files.set(id, {
        id,
        fd,
        path: join(directory, free),
        file: [...file.split('/').slice(0, -1), free].join('/'),
        device: dev,
        inode: ino,
        reserve,
        changed,
        end: 0,
        synced: 0,
        taken: 0,
      });
    } catch (error) {
      const { trouble, detail } = troubleOf(error);
      this.#wasFull ||= trouble === 'disk-full';
      this.#tell({ kind: 'failed', id, trouble, detail, length: 0 });
    }
  }

  #openPlace(file: string) {
    for (let attempt = 1; ; attempt++) {
      const { directory, name, changed } = makePlace(this.#root, file);
      try {
        return { directory, changed, ...this.#openFree(directory, name) };
      } catch (error) {
        // The finisher removes directories that became empty, this one just now.
        if (systemCodeOf(error) !== 'ENOENT' || attempt === MAX_ATTEMPTS) throw error;
      }
    }
  }

  #openFree(directory: string, name: string): { readonly fd: number; readonly free: string } {
    for (let number = 1; number <= MAX_NUMBER; number++) {
      const free = number === 1 ? name : numberedName(name, number);
      try {
        const fd = this.#fs.openSync(join(directory, free), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, FILE_MODE);
        return { fd, free };
      } catch (error) {
        if (systemCodeOf(error) !== 'EEXIST') throw error;
      }
    }
    throw new RecordingDiskError(
      'bad-name',
      `${join(directory, name)} and ${MAX_NUMBER - 1} names after it are taken: recording.name needs {SSS} or {id}`,
    );
  }

  #append(id: number, bytes: Uint8Array): void {
    const file = this.#files.get(id);
    if (file === undefined) return;
    file.taken += bytes.length;
    try {
      const { reserve } = file;
      const isAtRoom = reserve !== undefined && file.end <= reserve.at && file.end + bytes.length > reserve.at;
      if (isAtRoom) this.#writeAroundRoom(file, bytes, reserve);
      else this.#write(file.fd, bytes, file.end);
      file.end += bytes.length + (isAtRoom ? reserve.bytes : 0);
      this.#dirty.add(file);
    } catch (error) {
      this.#fail(file, error);
    }
  }

  #writeAroundRoom(file: WrittenFile, bytes: Uint8Array, room: { readonly at: number; readonly bytes: number }): void {
    const before = room.at - file.end;
    this.#write(file.fd, bytes.subarray(0, before), file.end);
    this.#write(file.fd, bytes.subarray(before), room.at + room.bytes);
  }

  #write(fd: number, bytes: Uint8Array, position: number): void {
    for (let done = 0; done < bytes.length; ) {
      done += this.#fs.writeSync(fd, bytes, done, bytes.length - done, position + done);
    }
  }

  #syncAll(files: readonly WrittenFile[]): void {
    const errors = this.#syncFiles(files.map(({ fd }) => fd));
    for (const [at, file] of files.entries()) {
      this.#takeSynced(file, errors[at]);
      this.#progress();
    }
  }

  #syncError(fd: number): Error | undefined {
    try {
      this.#fs.fdatasyncSync(fd);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    } finally {
      this.#progress();
    }
  }

  #takeSynced(file: WrittenFile, error: Error | undefined): void {
    try {
      if (error !== undefined) throw error;
      this.#checkPlace(file);
      for (const directory of file.changed) syncDirectory(directory);
    } catch (error) {
      this.#fail(file, error);
      return;
    }
    this.#tellSynced(file);
  }

  #tellSynced(file: WrittenFile): void {
    if (file.synced === 0) this.#tell({ kind: 'opened', id: file.id, file: file.file });
    file.changed = [];
    file.synced = file.end;
    this.#tell({ kind: 'flushed', id: file.id, length: file.synced, taken: file.taken });
    file.taken = 0;
  }

  /** Without this, what goes to a removed file would be lost without a word from the system. */
  #checkPlace({ path, device, inode }: WrittenFile): void {
    const found = this.#fs.lstatSync(path, { bigint: true, throwIfNoEntry: false });
    if (found?.ino === inode && found.dev === device) return;
    throw new RecordingDiskError('missing', `${path} was removed or moved away while it was written`);
  }

  #close(file: WrittenFile): void {
    this.#files.delete(file.id);
    this.#closeFd(file);
    if (file.synced === 0) this.#remove(file);
    this.#tell({ kind: 'closed', id: file.id, length: file.synced });
  }

  /** Closes the file with what is surely good of it: all whole appends, or where they can't be synced, what was. */
  #fail(file: WrittenFile, error: unknown): void {
    this.#files.delete(file.id);
    this.#dirty.delete(file);
    this.#closing.delete(file);
    const { trouble, detail } = troubleOf(error);
    this.#wasFull ||= trouble === 'disk-full';
    const isGone = error instanceof RecordingDiskError && error.code === 'missing';
    const notes = isGone ? [] : this.#cut(file);
    notes.push(...this.#closeFd(file));
    if (!isGone && file.synced === 0) notes.push(...this.#remove(file));
    this.#tell({
      kind: 'failed',
      id: file.id,
      trouble,
      detail: [detail, ...notes].join('; '),
      length: isGone ? 0 : file.synced,
    });
  }

  /** @returns what else went wrong */
  #cut(file: WrittenFile): string[] {
    const notes: string[] = [];
    for (const length of new Set([file.end, file.synced])) {
      const failure = attempt(() => {
        this.#fs.ftruncateSync(file.fd, length);
        this.#fs.fdatasyncSync(file.fd);
        if (length > 0 && file.synced === 0) for (const directory of file.changed) syncDirectory(directory);
      });
      if (failure === undefined) {
        if (length > file.synced) this.#tellSynced(file);
        return notes;
      }
      notes.push(`it could not be cut to ${length} bytes: ${failure}`);
    }
    return notes;
  }

  #closeFd(file: WrittenFile): string[] {
    const failure = attempt(() => this.#fs.closeSync(file.fd));
    return failure === undefined ? [] : [`it could not be closed: ${failure}`];
  }

  #remove(file: WrittenFile): string[] {
    const failure = attempt(() => nodeFs.rmSync(file.path, { force: true }));
    return failure === undefined ? [] : [`it is empty and could not be removed: ${failure}`];
  }

  /** A disk with a little room would take a new file every second, each with one fragment. */
  #checkRoom(): void {
    const { total, free } = this.#space();
    const wanted = Math.min(ROOM_TO_GO_ON, Math.floor(total / ROOM_SHARE));
    if (free < wanted) {
      const message = `${this.#root} has ${free} bytes free; recording goes on when there are ${wanted}`;
      throw Object.assign(new Error(message), { code: 'ENOSPC' });
    }
    this.#wasFull = false;
  }

  #space(): DiskSpace {
    const { bsize, blocks, bavail } = this.#fs.statfsSync(this.#root);
    return { total: bsize * blocks, free: bsize * bavail };
  }

  #tellSpace(id: number): void {
    try {
      this.#tell({ kind: 'space', id, space: this.#space() });
    } catch (error) {
      this.#tell({ kind: 'space-unknown', id, detail: troubleOf(error).detail });
    }
  }
}

/** @returns what went wrong */
function attempt(act: () => void): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return troubleOf(error).detail;
  }
}
