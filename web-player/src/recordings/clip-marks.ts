import { formatClock } from '../format.js';
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

export function markText({ start, end }: Marks): string {
  if (start !== undefined && end !== undefined) {
    return `${preciseText(start)} to ${preciseText(end)}, ${formatClock((end - start) / 1000)}`;
  }
  if (start !== undefined) return `From ${preciseText(start)}: mark an end.`;
  if (end !== undefined) return `To ${preciseText(end)}: mark a start.`;
  return 'Mark a start and an end to download a part.';
}
