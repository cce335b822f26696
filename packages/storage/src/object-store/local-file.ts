import { createHash, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import type { RecordedFile } from '@sluice/core';
import { LocalFileError } from './errors.js';
import type { SignedBytes } from './object-store.js';

/** Hashed at a time: about a millisecond, after which streams have their turn. */
const STRIDE = 256 * 1024;

/**
 * Where a recorded file is.
 *
 * @throws {LocalFileError} where that is outside of the root
 */
export function localPath(root: string, { id, file }: Pick<RecordedFile, 'id' | 'file'>): string {
  const path = resolve(root, file);
  if (path.startsWith(resolve(root) + sep)) return path;
  throw new LocalFileError('missing', `The recorded file ${id} is named ${file}, which is not under ${root}.`);
}

/** Removes a recorded file, where it is there. */
export async function removeLocal(root: string, file: RecordedFile): Promise<void> {
  try {
    await unlink(localPath(root, file));
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** A recorded file that is read from its beginning to its end, and hashed on the way. */
export class LocalFile {
  readonly #handle: FileHandle;
  readonly #bytes: number;
  readonly #hash: Hash = createHash('sha256');
  #offset = 0;

  private constructor(handle: FileHandle, bytes: number) {
    this.#handle = handle;
    this.#bytes = bytes;
  }

  /** @throws {LocalFileError} where it isn't there, or has another size than the index says */
  static async open(root: string, file: RecordedFile): Promise<LocalFile> {
    const path = localPath(root, file);
    let handle: FileHandle;
    try {
      handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    } catch (error) {
      if (isMissing(error)) throw new LocalFileError('missing', `The recorded file ${path} is not there.`);
      throw error;
    }
    const { size } = await handle.stat();
    if (size === file.bytes) return new LocalFile(handle, size);
    await handle.close();
    throw new LocalFileError('altered', `The recorded file ${path} has ${size} bytes, and had ${file.bytes}.`);
  }

  /** Its next bytes, as many as are left of those that are asked for. */
  async next(length: number): Promise<SignedBytes> {
    const bytes = Buffer.allocUnsafe(Math.min(length, this.#bytes - this.#offset));
    const hash = createHash('sha256');
    let filled = 0;
    while (filled < bytes.length) {
      const wanted = Math.min(STRIDE, bytes.length - filled);
      const { bytesRead } = await this.#handle.read(bytes, filled, wanted, this.#offset);
      if (bytesRead === 0) throw new LocalFileError('altered', 'A recorded file became shorter while it was read.');
      const read = bytes.subarray(filled, filled + bytesRead);
      hash.update(read);
      this.#hash.update(read);
      filled += bytesRead;
      this.#offset += bytesRead;
    }
    return { bytes, sha256: hash.digest('hex') };
  }

  /** Of all that was read, in hex. To be asked once, at the end. */
  digest(): string {
    return this.#hash.digest('hex');
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
}
