import { stat, statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { DiskSpace, Disks } from '@sluice/core';

/** What a directory is for, and where it is now. */
export interface WatchedDirectory {
  readonly use: string;
  readonly path: () => string;
}

interface Room {
  readonly total: number;
  readonly free: number;
}

/** A disk over a network that has gone away may never answer. */
const PATIENCE_MS = 1500;

/** Asks the system how much room there is. A disk that hangs holds one thread, however often it is asked about. */
export class DiskSpaces implements Disks {
  readonly #directories: readonly WatchedDirectory[];
  readonly #asked = new Map<string, Promise<Room | undefined>>();

  constructor(directories: readonly WatchedDirectory[]) {
    this.#directories = directories;
  }

  spaces(): Promise<readonly DiskSpace[]> {
    return Promise.all(
      this.#directories.map(async ({ use, path: pathOf }) => {
        const path = resolve(pathOf());
        const room = await this.#roomIn(path);
        return { use, path, total: room?.total, free: room?.free };
      }),
    );
  }

  async #roomIn(path: string): Promise<Room | undefined> {
    const asked =
      this.#asked.get(path) ??
      roomOf(path)
        .catch(() => undefined)
        .finally(() => this.#asked.delete(path));
    this.#asked.set(path, asked);
    let tooLong: NodeJS.Timeout | undefined;
    const given = new Promise<undefined>((done) => {
      tooLong = setTimeout(() => done(undefined), PATIENCE_MS);
    });
    try {
      return await Promise.race([asked, given]);
    } finally {
      clearTimeout(tooLong);
    }
  }
}

async function roomOf(path: string): Promise<Room> {
  const { blocks, bavail, bsize } = await statfs(await nearestDirectory(path));
  return { total: blocks * bsize, free: bavail * bsize };
}

/** The directory, or the one above it that is there. */
export async function nearestDirectory(path: string): Promise<string> {
  try {
    await stat(path);
    return path;
  } catch (error) {
    const above = dirname(path);
    if (above === path || (error as NodeJS.ErrnoException).code !== 'ENOENT') return path;
    return nearestDirectory(above);
  }
}
