import { element } from '../dom.js';
import { formatDuration } from '../format.js';
import { preciseText } from './time-window.js';
import type { RecordedFile } from './timeline.js';

const STATES: Readonly<Record<string, string>> = { writing: 'recording now', damaged: 'damaged', missing: 'missing' };

/** A file in the list, with what it is and a link to fetch it whole. */
export function fileRow({ start, duration, bytes, container, state }: RecordedFile, url: string): HTMLElement {
  const date = new Date(start).toLocaleDateString([], { dateStyle: 'medium' });
  const told = [container.toUpperCase(), formatDuration(duration), formatBytes(bytes)];
  const note = STATES[state];
  const what = element('span', { class: 'what' }, [...told, ...(note === undefined ? [] : [note])].join(' · '));
  const link = element('a', { href: url, download: '' }, 'Download');
  return element('li', {}, element('span', { class: 'when' }, `${date}, ${preciseText(start)}`), what, link);
}

/** `640 kB`, `12.5 MB`, `3.2 GB` */
export function formatBytes(bytes: number): string {
  if (bytes < 999_500) return `${Math.round(bytes / 1000)} kB`;
  return bytes < 999_950_000 ? `${(bytes / 1_000_000).toFixed(1)} MB` : `${(bytes / 1_000_000_000).toFixed(1)} GB`;
}
