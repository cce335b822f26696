import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { RecordingDiskError, systemCodeOf, troubleOf } from '../disk/errors.js';
import type { CheckResult, ExpectedFile } from '../disk/finisher-protocol.js';
import { existingPlace } from '../disk/place.js';
import { checksum } from './checksum.js';
import type { Slices } from './sliced-work.js';

const GONE: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR']);

/**
 * Whether a file is what it was, in slices.
 *
 * @throws {RecordingDiskError} `bad-name`
 */
export function* checkFile(root: string, file: string, expected: ExpectedFile): Slices<CheckResult> {
  try {
    const fd = openSync(existingPlace(root, file), constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      return yield* compare(fd, expected);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (error instanceof RecordingDiskError) throw error;
    if (GONE.has(systemCodeOf(error))) return { kind: 'missing' };
    return { kind: 'damaged', detail: `it can't be read: ${troubleOf(error).detail}` };
  }
}

function* compare(fd: number, expected: ExpectedFile): Slices<CheckResult> {
  const { size } = fstatSync(fd);
  if (size !== expected.bytes) {
    return { kind: 'damaged', detail: `it has ${size} bytes, and had ${expected.bytes} when it was finished` };
  }
  const { sha256 } = yield* checksum(fd);
  if (sha256 === expected.sha256) return { kind: 'intact' };
  return { kind: 'damaged', detail: `its SHA-256 is ${sha256}, and was ${expected.sha256} when it was finished` };
}
