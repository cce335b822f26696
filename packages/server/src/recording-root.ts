import { join } from 'node:path';
import type { Config } from '@sluice/core';

/** The directory that all recordings are in. */
export function recordingRoot({ recording, data }: Config): string {
  return recording.dir ?? join(data.dir, 'recordings');
}
