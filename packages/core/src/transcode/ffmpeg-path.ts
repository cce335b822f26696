import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where ffmpeg is: `FFMPEG_PATH`, or the first on the PATH; undefined where there is none. */
export function findFfmpeg(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  const { FFMPEG_PATH: named, PATH: path = '' } = environment;
  const candidates = named === undefined ? path.split(delimiter).map((folder) => join(folder, 'ffmpeg')) : [named];
  return candidates.find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
