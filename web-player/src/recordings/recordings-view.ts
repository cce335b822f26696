import { element } from '../dom.js';
import { icon } from '../icons.js';
import { createPlaybackView, type PlaybackView } from './playback-view.js';
import { ENGLISH } from './texts.js';

/** The elements of the page of recordings that its logic works on. */
export interface RecordingsView extends PlaybackView {
  readonly root: HTMLElement;
  readonly summary: HTMLElement;
  readonly files: HTMLElement;
}

/** Builds the page for a stream. */
export function createRecordingsView(path: string, player: string): RecordingsView {
  const view = createPlaybackView(path, ENGLISH);
  const files = element('ul', { class: 'files' });
  const summary = element('p', { class: 'summary' });
  const back = element('a', { href: player, class: 'back', title: 'Live', 'aria-label': 'To the live stream' });
  back.append(icon('back'));
  const title = element('div', { class: 'title' }, element('h1', {}, path), summary);
  const list = element('details', { class: 'list' }, element('summary', {}, 'Files'), files);
  const head = element('header', { class: 'head' }, back, title);
  const root = element('div', { class: 'recordings' }, head, view.playback, list);
  return { ...view, root, summary, files };
}
