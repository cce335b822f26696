import { type LiveRange, liveTimeAt, type RecordedFile, type RecordedSpan } from '@sluice/core';
import { isPlayable } from './recorded-files.js';

/** Files that follow each other within this time belong together, in ms. */
const SEAM_MS = 1000;

/**
 * Live time without a hole, from files and the gaps in them.
 *
 * @param files the oldest first, with what is known of how far growing ones have come
 */
export function spansOf(files: readonly RecordedFile[], range: Partial<LiveRange>): RecordedSpan[] {
  const spans: RecordedSpan[] = [];
  for (const stretch of files.filter(isPlayable).flatMap(stretchesOf)) {
    const last = spans.at(-1);
    const end = last === undefined ? 0 : last.start + last.duration;
    if (last !== undefined && Math.abs(stretch.start - end) <= SEAM_MS && sameCodecs(last, stretch)) {
      spans[spans.length - 1] = {
        ...stretch,
        start: last.start,
        duration: stretch.start + stretch.duration - last.start,
      };
    } else if (stretch.duration > 0) spans.push(stretch);
  }
  return spans.flatMap((span) => within(span, range));
}

function stretchesOf(file: RecordedFile): RecordedSpan[] {
  const codecs = file.tracks.map(({ codecString }) => codecString);
  const gaps = [...file.gaps].sort((a, b) => a.at - b.at);
  const begins = [0, ...gaps.map(({ at }) => at)];
  const ends = [...gaps.map(({ at }) => at), file.duration];
  return begins.map((at, number) => ({
    start: liveTimeAt({ startedAt: file.startedAt, gaps: gaps.slice(0, number) }, at),
    duration: Math.max(0, (ends[number] ?? at) - at),
    codecs,
    isGrowing: file.state === 'writing' && number === gaps.length,
  }));
}

function within(span: RecordedSpan, { from, to }: Partial<LiveRange>): RecordedSpan[] {
  const start = Math.max(span.start, from ?? span.start);
  const end = Math.min(span.start + span.duration, to ?? Number.POSITIVE_INFINITY);
  return start < end ? [{ ...span, start, duration: end - start }] : [];
}

const sameCodecs = (a: RecordedSpan, b: RecordedSpan): boolean => a.codecs.join() === b.codecs.join();
