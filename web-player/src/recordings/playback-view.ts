import { element } from '../dom.js';
import { iconButton } from '../icon-button.js';
import { filled, type RecordingTexts } from './texts.js';

/** The elements by which recordings are played, steered and cut. */
export interface PlaybackView {
  /** The picture, the bar and the clip, one below the other. */
  readonly playback: HTMLElement;
  readonly video: HTMLVideoElement;
  readonly notice: HTMLElement;
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
}

/** Builds them for a stream. */
export function createPlaybackView(path: string, texts: RecordingTexts): PlaybackView {
  const label = filled(texts.recordingOf, { path });
  const video = element('video', { controls: '', playsinline: '', 'aria-label': label });
  const notice = element('p', { class: 'notice', role: 'status', 'aria-live': 'polite' });
  const stage = element('div', { class: 'stage' }, video, notice);
  const { root: time, ...timeParts } = createTime(texts);
  const { root: clip, ...clipParts } = createClip(texts);
  const playback = element('div', { class: 'recorded' }, stage, time, clip);
  return { ...timeParts, ...clipParts, playback, video, notice };
}

function createTime(texts: RecordingTexts) {
  const shown = element('output', { class: 'shown' }, '–');
  const day = element('input', { type: 'date', 'aria-label': texts.day, class: 'day' });
  const zoom = element('select', { 'aria-label': texts.shows });
  for (const [value, name] of Object.entries(texts.zooms)) zoom.append(element('option', { value }, name));
  const before = iconButton('back', texts.earlier);
  const after = iconButton('forward', texts.later);
  const spans = element('div', { class: 'spans' });
  const marked = element('div', { class: 'marked', hidden: '' });
  const head = element('div', { class: 'playhead', hidden: '' });
  const bar = element(
    'div',
    { class: 'bar', role: 'slider', tabindex: '0', 'aria-label': texts.time, 'aria-valuetext': texts.nothingPlayed },
    spans,
    marked,
    head,
  );
  const tipPicture = element('img', { alt: '', hidden: '' });
  const tipText = element('span');
  const tip = element('div', { class: 'tip', hidden: '', 'aria-hidden': 'true' }, tipPicture, tipText);
  const ticks = element('div', { class: 'ticks', 'aria-hidden': 'true' });
  const steering = element('div', { class: 'steering' }, before, day, zoom, after, shown);
  const root = element('section', { class: 'time', 'aria-label': texts.time }, steering, bar, tip, ticks);
  return { root, shown, day, zoom, before, after, spans, marked, head, bar, tip, tipPicture, tipText, ticks };
}

function createClip(texts: RecordingTexts) {
  const button = (text: string, title: string) => element('button', { type: 'button', title }, text);
  const markStart = button(texts.clipStarts, texts.clipStartsTitle);
  const markEnd = button(texts.clipEnds, texts.clipEndsTitle);
  const clear = button(texts.clear, texts.clearTitle);
  clear.hidden = true;
  const range = element('output', { class: 'range' }, texts.markBoth);
  const download = element('a', { class: 'download', hidden: '', download: '' });
  const root = element(
    'section',
    { class: 'clip', 'aria-label': texts.clip },
    markStart,
    markEnd,
    clear,
    range,
    download,
  );
  return { root, markStart, markEnd, clear, range, download };
}
