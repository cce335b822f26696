import { closeSync, constants, openSync } from 'node:fs';
import type { RecordingContainer } from '@sluice/core';
import { MediaError } from '@sluice/media';
import { RecordingDiskError } from '../disk/errors.js';
import type { FinishedFile } from '../disk/finisher-protocol.js';
import { existingPlace } from '../disk/place.js';
import { checksum } from './checksum.js';
import type { FinishedMedia } from './finished-media.js';
import { finishFlv } from './flv.js';
import { type FinishedMp4, finishMp4 } from './mp4.js';
import type { Slices } from './sliced-work.js';
import { finishTs } from './ts.js';

const { O_NOFOLLOW, O_RDWR } = constants;

/**
 * Makes a file whole in the first slice, and takes its checksum in the others.
 *
 * @param progress called after each call of the system in the first slice, or some
 * @throws {RecordingDiskError} `unreadable`, `bad-name`; errors of the system
 */
export function* finishFile(
  root: string,
  file: string,
  container: RecordingContainer,
  progress: () => void,
): Slices<FinishedFile> {
  const fd = openSync(existingPlace(root, file), O_RDWR | O_NOFOLLOW);
  try {
    const media = finishMedia(fd, container, progress);
    yield;
    return { ...media, ...(yield* checksum(fd)) };
  } catch (error) {
    if (!(error instanceof MediaError)) throw error;
    throw new RecordingDiskError('unreadable', `${file} can't be finished: ${error.message}`, { cause: error });
  } finally {
    closeSync(fd);
  }
}

function finishMedia(fd: number, container: RecordingContainer, progress: () => void): FinishedMedia {
  switch (container) {
    case 'flv':
      return finishFlv(fd, progress);
    case 'ts':
      return finishTs(fd, progress);
    case 'mp4':
      return mp4Media(finishMp4(fd, progress));
  }
}

function mp4Media({ durationMs, isFaststart, repaired, damage }: FinishedMp4): FinishedMedia {
  const words = damage.map(({ start, end, reason }) => `bytes ${start} to ${end}: ${reason}`);
  return { durationMs, isFaststart, repaired, damage: words };
}
