import type { Stretch } from './timeline.js';

/** How much the bar shows. */
export type Zoom = 'day' | 'hour' | 'minutes';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const MINUTES = 10;
/** Between lines. */
const STEPS: Readonly<Record<Zoom, number>> = { day: 3 * HOUR_MS, hour: MINUTES * MINUTE_MS, minutes: MINUTE_MS };

/** What a select element says. */
export function zoomOf(text: string): Zoom {
  return text === 'hour' || text === 'minutes' ? text : 'day';
}

/** The nearest in which a length of time fits. @param length in ms */
export function zoomFor(length: number): Zoom {
  if (length <= MINUTES * MINUTE_MS) return 'minutes';
  return length <= HOUR_MS ? 'hour' : 'day';
}

/** The day, the hour or the ten minutes that a time is in, by the clock of who looks at it. */
export function windowAround(time: number, zoom: Zoom): Stretch {
  const start = new Date(time);
  if (zoom !== 'day') {
    const length = zoom === 'hour' ? HOUR_MS : MINUTES * MINUTE_MS;
    start.setMinutes(zoom === 'hour' ? 0 : Math.floor(start.getMinutes() / MINUTES) * MINUTES, 0, 0);
    return { start: start.getTime(), end: start.getTime() + length };
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

/** Where the bar has lines, with what is written under them. */
export function ticksOf(window: Stretch, zoom: Zoom): { readonly share: number; readonly label: string }[] {
  const length = window.end - window.start;
  const step = STEPS[zoom];
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
