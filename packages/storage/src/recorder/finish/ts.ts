import { fdatasyncSync, fstatSync, ftruncateSync } from 'node:fs';
import { MediaError, scanTsTimes, type TsTimes, unwrapCounter, wholeTsPackets } from '@sluice/media';
import { readAt } from '../../files/read-at.js';
import type { FinishedMedia } from './finished-media.js';

const PACKET = 188;
/** Far more than lies between two pictures. */
const WINDOW = 10_000 * PACKET;
const CLOCK_BITS = 33;
const TICKS_PER_MS = 90;

/**
 * Makes a transport stream whole: cuts off what is behind its last whole packet. Its duration is that from the first
 * picture or sound to the end of the last.
 *
 * @param fd for reading and writing
 * @param progress called after each read
 * @throws {MediaError} `malformed` where it has no packets, or none with a time
 */
export function finishTs(fd: number, progress: () => void = () => {}): FinishedMedia {
  const { size } = fstatSync(fd);
  const end = wholeEnd(fd, size, progress);
  const head = timesAt(fd, 0, Math.min(WINDOW, end));
  const [firstPts] = head.flatMap(({ pts }) => pts);
  if (firstPts === undefined) throw new MediaError('malformed', `no picture or sound in its first ${WINDOW} bytes`);
  const repaired = end < size;
  if (repaired) {
    ftruncateSync(fd, end);
    fdatasyncSync(fd);
  }
  const first = Math.min(...head.flatMap(({ pts }) => pts.map((time) => unwrapCounter(firstPts, time, CLOCK_BITS))));
  const span = (endOf(tailTimes(fd, end, progress)) - first) % 2 ** CLOCK_BITS;
  const durationMs = Math.round((span < 0 ? span + 2 ** CLOCK_BITS : span) / TICKS_PER_MS);
  return { durationMs, isFaststart: true, repaired, damage: [] };
}

function wholeEnd(fd: number, size: number, progress: () => void): number {
  let end = size - (size % PACKET);
  while (end > 0) {
    const from = Math.max(0, end - WINDOW);
    const whole = wholeTsPackets(readAt(fd, from, end - from));
    progress();
    if (whole > 0) return from + whole;
    end = from;
  }
  throw new MediaError('malformed', 'it has no whole packet');
}

/** Of the last part of the file that has any. */
function tailTimes(fd: number, end: number, progress: () => void): TsTimes[] {
  for (let until = end; ; until -= WINDOW) {
    const from = Math.max(0, until - WINDOW);
    const times = timesAt(fd, from, until - from);
    progress();
    if (times.length > 0 || from === 0) return times;
  }
}

function timesAt(fd: number, offset: number, length: number): TsTimes[] {
  const times = scanTsTimes(readAt(fd, offset, length));
  const media = times.filter(({ isMedia }) => isMedia);
  return media.length > 0 ? media : times;
}

/** The end of what is shown last: a picture is shown for as long as the one before it. */
function endOf(tail: readonly TsTimes[]): number {
  const near = tail[0]?.pts[0] ?? 0;
  return Math.max(
    ...tail.map(({ pts }) => {
      const [last = 0, before = last] = pts.map((time) => unwrapCounter(near, time, CLOCK_BITS)).sort((a, b) => b - a);
      return last + (last - before);
    }),
  );
}
