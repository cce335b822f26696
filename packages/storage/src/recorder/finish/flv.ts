import { fdatasyncSync, fstatSync, ftruncateSync, writeSync } from 'node:fs';
import { completeFlvMetadata, type FlvIndex, MediaError, scanFlv } from '@sluice/media';
import type { FinishedMedia } from './finished-media.js';
import { readAt } from './read.js';

/**
 * Makes an FLV file whole: cuts off an incomplete tag, and writes duration, size and keyframes into the room that its
 * metadata has for them. Does nothing to a file that is whole. Interrupted anywhere, it can be done again.
 *
 * @param fd for reading and writing
 * @throws {MediaError} `malformed` where it has no header, or no tag with media
 */
export function finishFlv(fd: number): FinishedMedia {
  const index = scan(fd);
  if (index.duration === 0 && index.keyframes.length === 0 && index.videoConfigAt === undefined) {
    throw new MediaError('malformed', `there is no tag with media in its first ${index.end} bytes`);
  }
  const repaired = index.end < fstatSync(fd).size;
  if (repaired) {
    ftruncateSync(fd, index.end);
    fdatasyncSync(fd);
  }
  complete(fd, index);
  return { durationMs: index.duration, isFaststart: true, repaired };
}

function scan(fd: number): FlvIndex {
  const steps = scanFlv();
  let step = steps.next();
  while (step.done !== true) step = steps.next(readAt(fd, step.value.offset, step.value.length));
  return step.value;
}

function complete(fd: number, index: FlvIndex): void {
  if (index.metadata === undefined) return;
  const { offset, body } = index.metadata;
  const completed = completeFlvMetadata(body, index);
  if (completed === undefined || completed.equals(body)) return;
  for (let done = 0; done < completed.length; ) {
    done += writeSync(fd, completed, done, completed.length - done, offset + done);
  }
  fdatasyncSync(fd);
}
