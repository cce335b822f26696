import { element } from '../dom.js';
import { iconButton } from '../icon-button.js';
import { icon } from '../icons.js';
import { ZOOMS } from './time-window.js';

/** The elements of the page of recordings that its logic works on. */
export interface RecordingsView {
  readonly root: HTMLElement;
  readonly video: HTMLVideoElement;
  readonly notice: HTMLElement;
  readonly summary: HTMLElement;
  readonly shown: HTMLElement;
  readonly day: HTMLInputElement;
  readonly zoom: HTMLSelectElement;
  readonly before: HTMLButtonElement;
  readonly after: HTMLButtonElement;
  /** Of role slider. */
  readonly bar: HTMLElement;
  readonly spans: HTMLElement;
  readonly ticks: HTMLElement;
  readonly head: HTMLElement;
  readonly marked: HTMLElement;
  readonly tip: HTMLElement;
  readonly tipPicture: HTMLImageElement;
  readonly tipText: HTMLElement;
  readonly markStart: HTMLButtonElement;
  readonly markEnd: HTMLButtonElement;
  readonly clear: HTMLButtonElement;
  readonly range: HTMLElement;
  readonly download: HTMLAnchorElement;
  readonly files: HTMLElement;
}

/** Builds the page for a stream. */
export function createRecordingsView(path: string, player: string): RecordingsView {
  const video = element('video', { controls: '', playsinline: '', 'aria-label': `Recording of ${path}` });
  const notice = element('p', { class: 'notice', role: 'status', 'aria-live': 'polite' });
  const stage = element('div', { class: 'stage' }, video, notice);
  const time = createTime();
  const clip = createClip();
  const files = element('ul', { class: 'files' });
  const summary = element('p', { class: 'summary' });
  const back = element('a', { href: player, class: 'back', title: 'Live', 'aria-label': 'To the live stream' });
  back.append(icon('back'));
  const title = element('div', { class: 'title' }, element('h1', {}, path), summary);
  const list = element('details', { class: 'list' }, element('summary', {}, 'Files'), files);
  const root = element(
    'div',
    { class: 'recordings' },
    element('header', { class: 'head' }, back, title),
    stage,
    time.root,
    clip.root,
    list,
  );
  return { ...time, ...clip, root, video, notice, summary, files };
}

function createTime() {
  const shown = element('output', { class: 'shown' }, '–');
  const day = element('input', { type: 'date', 'aria-label': 'Day', class: 'day' });
  const zoom = element('select', { 'aria-label': 'How much the bar shows' });
  for (const [value, name] of Object.entries(ZOOMS)) zoom.append(element('option', { value }, name));
  const before = iconButton('back', 'Earlier');
  const after = iconButton('forward', 'Later');
  const spans = element('div', { class: 'spans' });
  const marked = element('div', { class: 'marked', hidden: '' });
  const head = element('div', { class: 'playhead', hidden: '' });
  const bar = element(
    'div',
    { class: 'bar', role: 'slider', tabindex: '0', 'aria-label': 'Time', 'aria-valuetext': 'Nothing is played' },
    spans,
    marked,
    head,
  );
  const tipPicture = element('img', { alt: '', hidden: '' });
  const tipText = element('span');
  const tip = element('div', { class: 'tip', hidden: '', 'aria-hidden': 'true' }, tipPicture, tipText);
  const ticks = element('div', { class: 'ticks', 'aria-hidden': 'true' });
  const steering = element('div', { class: 'steering' }, before, day, zoom, after, shown);
  const root = element('section', { class: 'time', 'aria-label': 'Time' }, steering, bar, tip, ticks);
  return { root, shown, day, zoom, before, after, spans, marked, head, bar, tip, tipPicture, tipText, ticks };
}

function createClip() {
  const button = (text: string, title: string) => element('button', { type: 'button', title }, text);
  const markStart = button('Clip starts here', 'Mark the start of a clip (i)');
  const markEnd = button('Clip ends here', 'Mark the end of a clip (o)');
  const clear = button('Clear', 'Forget the marks');
  clear.hidden = true;
  const range = element('output', { class: 'range' }, 'Mark a start and an end to download a part.');
  const download = element('a', { class: 'download', hidden: '', download: '' }, 'Download clip');
  const root = element('section', { class: 'clip', 'aria-label': 'Clip' }, markStart, markEnd, clear, range, download);
  return { root, markStart, markEnd, clear, range, download };
}
