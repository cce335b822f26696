import { lstat, realpath, rmdir, statfs, unlink } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { StorageError } from '../errors.js';

/** Bytes of a file that is there. */
export interface FileOnDisk {
  /** For those that open it. */
  readonly absolute: string;
  readonly bytes: number;
}

/** The files under the recording root, by their places in it. Nothing is reached through a link that leads out of it. */
export class RecordingFolder {
  readonly root: string;

  /** @param root absolute; it may be missing */
  constructor(root: string) {
    this.root = root;
  }

  /**
   * Looks for a file.
   *
   * @param file its place, with `/` between names
   * @returns undefined where there is none
   * @throws {StorageError} `unusable`: the place isn't under the root, what is there is no file, or the disk fails
   */
  async find(file: string): Promise<FileOnDisk | undefined> {
    const absolute = await this.#locate(file);
    if (absolute === undefined) return undefined;
    const found = await present(lstat(absolute));
    if (found === undefined) return undefined;
    if (!found.isFile()) throw outside(file, 'is no regular file');
    return { absolute, bytes: found.size };
  }

  /**
   * Removes a file, and the folders that are empty without it.
   *
   * @returns false where there was none
   * @throws {StorageError}
   */
  async remove(file: string): Promise<boolean> {
    const found = await this.find(file);
    if (found === undefined) return false;
    await present(unlink(found.absolute));
    await this.#removeEmpty(dirname(file));
    return true;
  }

  /** Bytes that can still be written to its disk. @throws {StorageError} where the disk can't be asked */
  async freeBytes(): Promise<number> {
    for (let at = this.root; ; at = dirname(at)) {
      const found = await present(statfs(at));
      if (found !== undefined) return found.bavail * found.bsize;
    }
  }

  /** The root itself stays. */
  async #removeEmpty(folder: string): Promise<void> {
    for (let at = folder; at !== '.'; at = dirname(at)) {
      try {
        await rmdir(join(this.root, at));
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'ENOENT') continue;
        if (code === 'ENOTEMPTY' || code === 'EEXIST') return;
        throw outside(at, `can't be removed: ${String(error)}`);
      }
    }
  }

  async #locate(file: string): Promise<string | undefined> {
    const names = file.split('/');
    if (names.some((name) => name === '' || name === '.' || name === '..' || /[\\\0]/.test(name))) {
      throw outside(file, 'is no place under the recording root');
    }
    const absolute = join(this.root, ...names);
    const [folder, root] = [await present(realpath(dirname(absolute))), await present(realpath(this.root))];
    if (folder === undefined || root === undefined) return undefined;
    if (folder !== root && !folder.startsWith(root.endsWith(sep) ? root : root + sep)) {
      throw outside(file, `leads out of the recording root, to ${folder}`);
    }
    return absolute;
  }
}

/** What isn't there is undefined. */
async function present<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new StorageError(
      'unusable',
      `the recording folder can't be used: ${String(error)}. recording.dir names it.`,
      {
        cause: error,
      },
    );
  }
}

function outside(file: string, why: string): StorageError {
  return new StorageError('unusable', `${JSON.stringify(file)} ${why}`);
}
