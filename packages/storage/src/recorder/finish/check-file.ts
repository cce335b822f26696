import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { RecordingDiskError, systemCodeOf, troubleOf } from '../disk/errors.js';
import type { CheckResult, ExpectedFile } from '../disk/finisher-protocol.js';
import { existingPlace } from '../disk/place.js';
import { checksum } from './checksum.js';

const GONE: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR']);

/**
 * Whether a file is what it was. Lets other work go before each piece of it.
 *
 * @param progress called after each piece
 * @throws {RecordingDiskError} `bad-name`
 */
export async function checkFile(
  root: string,
  file: string,
  expected: ExpectedFile,
  progress: () => void,
): Promise<CheckResult> {
  try {
    const fd = openSync(existingPlace(root, file), constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      return await compare(fd, expected, progress);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (error instanceof RecordingDiskError) throw error;
    if (GONE.has(systemCodeOf(error))) return { kind: 'missing' };
    return { kind: 'damaged', detail: `it can't be read: ${troubleOf(error).detail}` };
  }
}

async function compare(fd: number, expected: ExpectedFile, progress: () => void): Promise<CheckResult> {
  const { size } = fstatSync(fd);
  if (size !== expected.bytes) {
    return { kind: 'damaged', detail: `it has ${size} bytes, and had ${expected.bytes} when it was finished` };
  }
  const steps = checksum(fd);
  let step = steps.next();
  while (step.done !== true) {
    progress();
    await nextTurn();
    step = steps.next();
  }
  const { sha256 } = step.value;
  if (sha256 === expected.sha256) return { kind: 'intact' };
  return { kind: 'damaged', detail: `its SHA-256 is ${sha256}, and was ${expected.sha256} when it was finished` };
}
