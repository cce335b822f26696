import { parentPort } from 'node:worker_threads';
import { messageOf } from '@sluice/core';
import { MediaError, type Mp4Index, scanMp4 } from '@sluice/media';
import { readAt } from '../../files/read-at.js';
import type { ScanAnswer, ScanQuestion } from './protocol.js';

const port = parentPort;
if (port === null) throw new Error('this is the beginning of a thread');

port.on('message', ({ id, fd, size }: ScanQuestion) => {
  try {
    const index = compact(scan(fd, size));
    const answer: ScanAnswer = { id, kind: 'index', index };
    port.postMessage(answer, columnsOf(index));
  } catch (error) {
    const code = error instanceof MediaError ? error.code : undefined;
    port.postMessage({ id, kind: 'error', code, message: messageOf(error) } satisfies ScanAnswer);
  }
});

function scan(fd: number, size: number): Mp4Index {
  const scanning = scanMp4(size);
  let step = scanning.next();
  while (!step.done) step = scanning.next(readAt(fd, step.value.offset, step.value.length));
  return step.value;
}

/** Columns have room to grow, which isn't worth to be kept. */
function compact(index: Mp4Index): Mp4Index {
  return {
    ...index,
    tracks: index.tracks.map((track) => ({
      ...track,
      offsets: track.offsets.slice(),
      sizes: track.sizes.slice(),
      dts: track.dts.slice(),
      durations: track.durations.slice(),
      compositionOffsets: track.compositionOffsets.slice(),
      keyframes: track.keyframes.slice(),
    })),
  };
}

/** They are handed over, not copied. */
function columnsOf({ tracks }: Mp4Index): ArrayBuffer[] {
  return tracks
    .flatMap(({ offsets, sizes, dts, durations, compositionOffsets, keyframes }) => [
      ...[offsets, sizes, dts, durations, compositionOffsets, keyframes],
    ])
    .flatMap(({ buffer }) => (buffer instanceof ArrayBuffer ? [buffer] : []));
}
