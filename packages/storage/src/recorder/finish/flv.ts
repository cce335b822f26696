import { fdatasyncSync, fstatSync, ftruncateSync, writeSync } from 'node:fs';
import { completeFlvMetadata, coverFlvDamage, type FlvIndex, MediaError, scanFlv } from '@sluice/media';
import { readAt } from '../../files/read-at.js';
import type { FinishedMedia } from './finished-media.js';

/**
 * Makes an FLV file whole: cuts off an incomplete tag, makes damage in the middle a tag to be passed over, and writes duration, size and keyframes into the room that its
 * metadata has for them. Does nothing to a file that is whole. Interrupted anywhere, it can be done again.
 *
 * @param fd for reading and writing
 * @param progress called after each read
 * @throws {MediaError} `malformed` where it has no header, or no tag with media
 */
export function finishFlv(fd: number, progress: () => void = () => {}): FinishedMedia {
  const index = scan(fd, progress);
  if (index.duration === 0 && index.keyframes.length === 0 && index.videoConfigAt === undefined) {
    throw new MediaError('malformed', `there is no tag with media in its first ${index.end} bytes`);
  }
  const repaired = index.damage.length > 0 || index.end < fstatSync(fd).size;
  if (repaired) {
    for (const { offset, bytes } of index.damage.flatMap(coverFlvDamage)) writeAt(fd, offset, bytes);
    ftruncateSync(fd, index.end);
    fdatasyncSync(fd);
  }
  complete(fd, index);
  const damage = index.damage.map(({ start, end }) => `bytes ${start} to ${end} are no FLV tags`);
  return { durationMs: index.duration, isFaststart: true, repaired, damage };
}

function scan(fd: number, progress: () => void): FlvIndex {
  const steps = scanFlv();
  let step = steps.next();
  while (step.done !== true) {
    step = steps.next(readAt(fd, step.value.offset, step.value.length));
    progress();
  }
  return step.value;
}

function complete(fd: number, index: FlvIndex): void {
  if (index.metadata === undefined) return;
  const { offset, body } = index.metadata;
  const completed = completeFlvMetadata(body, index);
  if (completed === undefined || completed.equals(body)) return;
  writeAt(fd, offset, completed);
  fdatasyncSync(fd);
}

function writeAt(fd: number, offset: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, offset + done);
}
