import { createHash, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { RecordedFile } from '@sluice/core';
import { isBeneath } from '../files/beneath.js';
import { systemCodeOf } from '../recorder/disk/errors.js';
import { LocalFileError } from './errors.js';
import type { SignedBytes } from './object-store.js';

/** Hashed at a time: about a millisecond, after which streams have their turn. */
const STRIDE = 256 * 1024;

/** A recorded file that is read from its beginning to its end, and hashed on the way. */
export class LocalFile {
  readonly #handle: FileHandle;
  readonly #bytes: number;
  readonly #hash: Hash = createHash('sha256');
  #buffer: Buffer = Buffer.alloc(0);
  #offset = 0;

  private constructor(handle: FileHandle, bytes: number) {
    this.#handle = handle;
    this.#bytes = bytes;
  }

  /** @throws {LocalFileError} where it isn't under the root, or has another size than the index says */
  static async open(root: string, { file, bytes }: RecordedFile): Promise<LocalFile> {
    let handle: FileHandle;
    try {
      const top = await realpath(root);
      const place = await realpath(join(top, file));
      if (!isBeneath(top, place)) {
        throw new LocalFileError('missing', `The recorded file ${file} leads out of ${top}, to ${place}.`);
      }
      handle = await open(place, constants.O_RDONLY | constants.O_NOFOLLOW);
    } catch (error) {
      const code = systemCodeOf(error);
      if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
      throw new LocalFileError('missing', `The recorded file ${file} is not in ${root}.`);
    }
    const { size } = await handle.stat();
    if (size === bytes) return new LocalFile(handle, bytes);
    await handle.close();
    throw new LocalFileError('altered', `The recorded file ${file} has ${size} bytes, and had ${bytes}.`);
  }

  /** Its next bytes, as many as are left of those that are asked for: in one buffer, until the next call. */
  async next(length: number): Promise<SignedBytes> {
    const wanted = Math.min(length, this.#bytes - this.#offset);
    if (this.#buffer.length < wanted) this.#buffer = Buffer.allocUnsafeSlow(wanted);
    const bytes = this.#buffer.subarray(0, wanted);
    const hash = createHash('sha256');
    let filled = 0;
    while (filled < bytes.length) {
      const stride = Math.min(STRIDE, bytes.length - filled);
      const { bytesRead } = await this.#handle.read(bytes, filled, stride, this.#offset);
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
