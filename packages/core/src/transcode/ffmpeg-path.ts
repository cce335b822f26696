import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where ffmpeg is: `FFMPEG_PATH`, or the first on the PATH; undefined where there is none. */
export function findFfmpeg(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  const { FFMPEG_PATH: named } = environment;
  if (named === undefined) return findProgram('ffmpeg', environment);
  return isExecutable(named) ? named : undefined;
}

/** The first program of a name on the PATH; undefined where there is none. */
export function findProgram(name: string, { PATH: path = '' }: Readonly<Record<string, string | undefined>>) {
  return path
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
