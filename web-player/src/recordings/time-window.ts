import type { Stretch } from './timeline.js';

export type Zoom = 'day' | 'hour';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** The day or the hour that a time is in, by the clock of who looks at it. */
export function windowAround(time: number, zoom: Zoom): Stretch {
  const start = new Date(time);
  if (zoom === 'hour') {
    start.setMinutes(0, 0, 0);
    return { start: start.getTime(), end: start.getTime() + HOUR_MS };
  }
  start.setHours(0, 0, 0, 0);
  const end = new Date(start);
  // Days on which clocks are changed are longer or shorter.
  end.setDate(end.getDate() + 1);
  return { start: start.getTime(), end: end.getTime() };
}

/** The window before another (-1) or behind it (1). */
export function windowBeside(window: Stretch, zoom: Zoom, step: -1 | 1): Stretch {
  return windowAround(step < 0 ? window.start - 1 : window.end, zoom);
}

/** Where the bar has lines, with what is written under them: each third hour, or each ten minutes. */
export function ticksOf(window: Stretch, zoom: Zoom): { readonly share: number; readonly label: string }[] {
  const length = window.end - window.start;
  const step = zoom === 'day' ? 3 * HOUR_MS : 10 * MINUTE_MS;
  const ticks: { share: number; label: string }[] = [];
  for (let time = window.start; time < window.end; time += step) {
    ticks.push({ share: (time - window.start) / length, label: clockText(time) });
  }
  return ticks;
}

/** `20:15` */
export function clockText(time: number): string {
  const date = new Date(time);
  return [date.getHours(), date.getMinutes()].map((part) => String(part).padStart(2, '0')).join(':');
}

/** `20:15:31` */
export function preciseText(time: number): string {
  return `${clockText(time)}:${String(new Date(time).getSeconds()).padStart(2, '0')}`;
}

/** `2026-11-21`, as a date field has it. */
export function dayText(time: number): string {
  const date = new Date(time);
  const parts = [date.getFullYear(), date.getMonth() + 1, date.getDate()];
  return parts.map((part) => String(part).padStart(2, '0')).join('-');
}

/** Midnight of a date field's day; undefined for an empty one. */
export function timeOfDay(text: string): number | undefined {
  const time = new Date(`${text}T00:00:00`).getTime();
  return Number.isFinite(time) ? time : undefined;
}
