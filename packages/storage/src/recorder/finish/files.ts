import { lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { systemCodeOf } from '../disk/errors.js';
import type { FoundFile } from '../disk/finisher-protocol.js';
import { directoriesUpTo, existingPlace, syncDirectory } from '../disk/place.js';

const GONE: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR']);
const IN_USE: ReadonlySet<string | undefined> = new Set(['ENOTEMPTY', 'EEXIST', 'ENOENT', 'EBUSY']);

/**
 * Removes a file, and its directories where they are empty then.
 *
 * @returns whether it was there
 * @throws {RecordingDiskError} `bad-name`; errors of the system
 */
export function removeFile(root: string, file: string): boolean {
  let path: string;
  try {
    path = existingPlace(root, file);
    unlinkSync(path);
  } catch (error) {
    if (GONE.has(systemCodeOf(error))) return false;
    throw error;
  }
  syncDirectory(dirname(path));
  for (const directory of directoriesUpTo(root, path)) {
    try {
      rmdirSync(directory);
    } catch (error) {
      if (IN_USE.has(systemCodeOf(error))) break;
      throw error;
    }
  }
  return true;
}

/** All ordinary files under the root; nothing where it isn't there. Symbolic links aren't followed. */
export function listFiles(root: string, progress: () => void = () => {}): FoundFile[] {
  const found: FoundFile[] = [];
  const visit = (directory: string, prefix: string): void => {
    for (const entry of entriesOf(directory)) {
      progress();
      const path = join(directory, entry.name);
      if (entry.isDirectory()) visit(path, `${prefix}${entry.name}/`);
      const stat = entry.isFile() ? lstatSync(path, { throwIfNoEntry: false }) : undefined;
      if (stat !== undefined) {
        found.push({ file: `${prefix}${entry.name}`, bytes: stat.size, modifiedAt: Math.round(stat.mtimeMs) });
      }
    }
  };
  visit(root, '');
  return found;
}

function entriesOf(directory: string) {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    if (GONE.has(systemCodeOf(error))) return [];
    throw error;
  }
}
