import { fstatSync, fsyncSync, ftruncateSync, writeSync } from 'node:fs';
import { type Mp4Damage, type Mp4FinishStep, type Mp4Index, mp4Duration, planMp4Finish, scanMp4 } from '@sluice/media';
import { readAt } from '../../files/read-at.js';

/** An MP4 file that is finished. */
export interface FinishedMp4 {
  readonly bytes: number;
  readonly durationMs: number;
  /** Whether players can begin before they have all of it. */
  readonly isFaststart: boolean;
  /** Whether a fragment had broken off at its end, which was cut off, or there is damage. */
  readonly repaired: boolean;
  /** Stretches between fragments that couldn't be read. They stay in the file, and nothing refers to them. */
  readonly damage: readonly Mp4Damage[];
}

/**
 * Finishes an MP4 file in place that grew by fragments, whole or broken off, and repairs it by that. A finished one
 * stays as it is. Waits for the disk: to be called in a thread of its own. A crash on the way leaves a file that plays
 * and can be finished.
 *
 * @param fd open for reading and writing; stays open
 * @param progress called after each call of the system, or some
 * @throws {MediaError} where the file can't be read, or not be finished: it is left as it was
 * @throws an error of the system
 */
export function finishMp4(fd: number, progress: () => void = () => {}): FinishedMp4 {
  const { size } = fstatSync(fd);
  const index = scan(fd, size, progress);
  const plan = planMp4Finish(index, size);
  for (const step of plan?.steps ?? []) {
    take(fd, step);
    progress();
  }
  return {
    bytes: plan === undefined ? size : fstatSync(fd).size,
    durationMs: Math.round(mp4Duration(index) / 1000),
    isFaststart: plan?.isFaststart ?? isFaststart(index),
    repaired: index.damage.length > 0 || index.end < size,
    damage: index.damage,
  };
}

function scan(fd: number, size: number, progress: () => void): Mp4Index {
  const steps = scanMp4(size);
  let step = steps.next();
  while (!step.done) {
    step = steps.next(readAt(fd, step.value.offset, step.value.length));
    progress();
  }
  return step.value;
}

function take(fd: number, step: Mp4FinishStep): void {
  if (step.kind === 'truncate') ftruncateSync(fd, step.length);
  else if (step.kind === 'write') writeAt(fd, step.bytes, step.offset);
  else fsyncSync(fd);
}

function writeAt(fd: number, bytes: Buffer, offset: number): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, offset + done);
}

function isFaststart({ movie, tracks }: Mp4Index): boolean {
  return tracks.every(({ offsets }) => offsets.every((offset) => offset >= movie.end));
}
