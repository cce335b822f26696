import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, type RecordedFile, RecordingError, type RemoteFiles } from '@sluice/core';
import { isBeneath } from '../files/beneath.js';

/** A file of a recording, open for reading. Whoever opened it closes it. */
export interface RecordingSource {
  /** In bytes, when it was opened. */
  readonly size: number;
  /** Of a file that is here. */
  readonly fd: number | undefined;
  /**
   * @returns fewer bytes only where the file ends
   * @throws {RecordingError} `unreadable`
   */
  read(offset: number, length: number): Promise<Buffer>;
  /**
   * As much as is asked for, in pieces of some 100 kB.
   *
   * @throws {RecordingError} `unreadable`, also where the file ends before
   */
  stream(offset: number, length: number): AsyncIterable<Buffer>;
  close(): Promise<void>;
}

export interface RecordingSourcesOptions {
  /** The recording root. */
  readonly root: string;
  /** Undefined where there is no object store. */
  readonly remote?: RemoteFiles | undefined;
}

/** Large enough that a disk is used well, small enough that a hundred viewers need little memory. */
const READ_BYTES = 256 * 1024;

/** Opens files of recordings, wherever they are. */
export class RecordingSources {
  readonly #options: RecordingSourcesOptions;

  constructor(options: RecordingSourcesOptions) {
    this.#options = options;
  }

  /** @throws {RecordingError} `unreadable` where it is gone, or leads out of the recording root */
  async open(file: RecordedFile): Promise<RecordingSource> {
    if (file.isLocal) return localSource(file, await this.#openLocal(file));
    const { remote } = this.#options;
    if (remote === undefined) {
      const way = 'configure recording.s3 as it was when it was recorded';
      throw new RecordingError(
        'unreadable',
        `${file.file} is in an object store that this server doesn't know; ${way}`,
      );
    }
    return remoteSource(file, remote);
  }

  /** Where a file that isn't here can be fetched for a while; undefined where only this server can give it. */
  async urlOf(file: RecordedFile): Promise<string | undefined> {
    return file.isLocal ? undefined : this.#options.remote?.url(file);
  }

  async #openLocal({ file }: RecordedFile): Promise<FileHandle> {
    try {
      const root = await realpath(this.#options.root);
      const place = await realpath(join(root, file));
      if (!isBeneath(root, place)) throw new Error('it leads out of the recording root');
      const handle = await open(place, constants.O_RDONLY | constants.O_NOFOLLOW);
      if ((await handle.stat()).isFile()) return handle;
      await handle.close();
      throw new Error('it is no file');
    } catch (error) {
      throw unreadable(file, error);
    }
  }
}

async function localSource({ file }: RecordedFile, handle: FileHandle): Promise<RecordingSource> {
  const { size } = await handle.stat();
  const read = async (offset: number, length: number): Promise<Buffer> => {
    const buffer = Buffer.allocUnsafe(length);
    let filled = 0;
    try {
      while (filled < length) {
        const { bytesRead } = await handle.read(buffer, filled, length - filled, offset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
    } catch (error) {
      throw unreadable(file, error);
    }
    return buffer.subarray(0, filled);
  };
  async function* stream(offset: number, length: number): AsyncGenerator<Buffer> {
    for (let done = 0; done < length; ) {
      const bytes = await read(offset + done, Math.min(READ_BYTES, length - done));
      if (bytes.length === 0) throw tooShort(file, offset + done, length - done);
      done += bytes.length;
      yield bytes;
    }
  }
  return { size, fd: handle.fd, read, stream, close: () => handle.close() };
}

function remoteSource(file: RecordedFile, remote: RemoteFiles): RecordingSource {
  const size = file.bytes;
  async function* stream(offset: number, length: number): AsyncGenerator<Buffer> {
    let left = length;
    try {
      if (left > 0) {
        for await (const bytes of remote.read(file, { start: offset, end: offset + length - 1 })) {
          const wanted = bytes.subarray(0, left);
          left -= wanted.length;
          yield wanted;
          if (left === 0) return;
        }
      }
    } catch (error) {
      throw unreadable(file.file, error);
    }
    if (left > 0) throw tooShort(file.file, offset + length - left, left);
  }
  const read = async (offset: number, length: number): Promise<Buffer> => {
    const pieces: Buffer[] = [];
    for await (const bytes of stream(offset, Math.max(0, Math.min(length, size - offset)))) pieces.push(bytes);
    return Buffer.concat(pieces);
  };
  return { size, fd: undefined, read, stream, close: async () => undefined };
}

function unreadable(file: string, error: unknown): RecordingError {
  return new RecordingError('unreadable', `${file} can't be read: ${messageOf(error)}`, { cause: error });
}

function tooShort(file: string, at: number, missing: number): RecordingError {
  return new RecordingError('unreadable', `${file} ends at ${at}, where ${missing} bytes more have to be`);
}
