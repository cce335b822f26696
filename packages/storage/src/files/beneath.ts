import { sep } from 'node:path';

/** Whether a path is beneath a directory. Both are real paths: absolute, without symbolic links. */
export function isBeneath(directory: string, path: string): boolean {
  return path.startsWith(directory.endsWith(sep) ? directory : directory + sep);
}
