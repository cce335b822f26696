import { formatClock } from '../format.js';
import { ENGLISH, filled, type RecordingTexts } from './texts.js';
import { preciseText } from './time-window.js';

/** Live times between which a clip is to be, in ms since 1970. */
export interface Marks {
  readonly start: number | undefined;
  readonly end: number | undefined;
}

/** The other mark is forgotten where it would be on the wrong side. */
export function marksWith({ start, end }: Marks, which: 'start' | 'end', time: number): Marks {
  if (which === 'start') return { start: time, end: end !== undefined && end > time ? end : undefined };
  return { start: start !== undefined && start < time ? start : undefined, end: time };
}

/** What is marked, in words. */
export function markText({ start, end }: Marks, texts: RecordingTexts = ENGLISH): string {
  if (start === undefined && end === undefined) return texts.markBoth;
  const form = start === undefined ? texts.markedEnd : end === undefined ? texts.markedStart : texts.marked;
  const length = formatClock(((end ?? 0) - (start ?? 0)) / 1000);
  return filled(form, { from: preciseText(start ?? 0), to: preciseText(end ?? 0), length });
}
