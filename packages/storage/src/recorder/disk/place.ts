import { closeSync, fsyncSync, lstatSync, mkdirSync, openSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isBeneath } from '../../files/beneath.js';
import { RecordingDiskError, systemCodeOf } from './errors.js';

const DIRECTORY_MODE = 0o750;
/** File systems that have no use for it say so with these. */
const NO_DIRECTORY_SYNC: ReadonlySet<string | undefined> = new Set(['EINVAL', 'ENOTSUP']);

/** Where a file is to be. */
export interface Place {
  /** Its directory, without symbolic links. */
  readonly directory: string;
  readonly name: string;
  /** Directories that have something new in them. */
  readonly changed: readonly string[];
}

/**
 * Makes the directories of a file. A symbolic link among them is followed while it stays under the root.
 *
 * @param file under the root, with `/` between names
 * @throws {RecordingDiskError} `bad-name`; errors of the system
 */
export function makePlace(root: string, file: string): Place {
  const { directories, name } = namesOf(file);
  const changed = makeRoot(root);
  const top = realpathSync(root);
  let directory = top;
  for (const part of directories) {
    const next = join(directory, part);
    if (makeDirectory(next)) changed.push(directory);
    directory = inside(top, next, file);
  }
  return { directory, name, changed: [...changed, directory] };
}

/**
 * The path of a file that should be there.
 *
 * @throws {RecordingDiskError} `bad-name` also where it isn't an ordinary file; errors of the system
 */
export function existingPlace(root: string, file: string): string {
  const { directories, name } = namesOf(file);
  const path = join(inside(realpathSync(root), join(root, ...directories), file), name);
  if (!lstatSync(path).isFile()) throw new RecordingDiskError('bad-name', `${file} is not an ordinary file`);
  return path;
}

/** The names that a file's place is made of. */
function namesOf(file: string): { readonly directories: readonly string[]; readonly name: string } {
  const names = file.split('/');
  const isBad = names.some((name) => name === '' || name === '.' || name === '..' || /[\0\\]/.test(name));
  const name = names.pop();
  if (isBad || name === undefined) {
    throw new RecordingDiskError(
      'bad-name',
      `${JSON.stringify(file)} is no place under the recording root: it takes names with "/" between them`,
    );
  }
  return { directories: names, name };
}

/** A name with a number before its extension, for one that is taken. */
export function numberedName(name: string, number: number): string {
  const dot = name.lastIndexOf('.');
  return dot <= 0 ? `${name}-${number}` : `${name.slice(0, dot)}-${number}${name.slice(dot)}`;
}

/** What was made or removed in a directory outlives a power cut after this. */
export function syncDirectory(directory: string): void {
  const fd = openSync(directory, 'r');
  try {
    fsyncSync(fd);
  } catch (error) {
    if (!NO_DIRECTORY_SYNC.has(systemCodeOf(error))) throw error;
  } finally {
    closeSync(fd);
  }
}

/** Directories from that of a path up to the root, which isn't one of them. */
export function* directoriesUpTo(root: string, path: string): Generator<string> {
  const top = realpathSync(root);
  for (let at = dirname(path); isBeneath(top, at); at = dirname(at)) yield at;
}

/** @returns directories that have something new in them */
function makeRoot(root: string): string[] {
  const changed: string[] = [];
  const first = mkdirSync(root, { recursive: true, mode: DIRECTORY_MODE });
  if (first === undefined) return changed;
  for (let made = resolve(root); ; made = dirname(made)) {
    changed.push(dirname(made));
    if (made === resolve(first) || made === dirname(made)) return changed;
  }
}

/** @returns whether it wasn't there before */
function makeDirectory(path: string): boolean {
  try {
    mkdirSync(path, { mode: DIRECTORY_MODE });
    return true;
  } catch (error) {
    if (systemCodeOf(error) !== 'EEXIST') throw error;
    return false;
  }
}

function inside(top: string, directory: string, file: string): string {
  const real = realpathSync(directory);
  if (real === top || isBeneath(top, real)) return real;
  throw new RecordingDiskError(
    'bad-name',
    `${file} would be at ${real}, outside of the recording root ${top}: a symbolic link leads there`,
  );
}
