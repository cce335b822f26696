import { copyRow } from '../copy-row.js';
import { element } from '../dom.js';
import { iconButton } from '../icon-button.js';
import { icon } from '../icons.js';
import { createSettingsForm, type SettingsForm } from './settings-form.js';
import { SILENCE_DB } from './sound-level.js';

const FACTS = {
  bitrate: 'Outgoing',
  picture: 'Picture',
  rate: 'Pictures per second',
  roundTrip: 'Round trip',
  lost: 'Packets lost',
  repeated: 'Packets sent again',
} as const;

export type FactName = keyof typeof FACTS;

/** The elements of the publish page that its logic works on. */
export interface PublishView {
  readonly root: HTMLElement;
  readonly state: HTMLElement;
  readonly duration: HTMLElement;
  readonly stage: HTMLElement;
  readonly video: HTMLVideoElement;
  /** What is told in place of the picture, with a way out of it. */
  readonly notice: { readonly headline: HTMLElement; readonly detail: HTMLElement; readonly retry: HTMLButtonElement };
  readonly microphone: HTMLButtonElement;
  readonly camera: HTMLButtonElement;
  readonly meter: HTMLElement;
  /** Goes live, or stops. */
  readonly go: HTMLButtonElement;
  /** What went wrong with publishing. */
  readonly fault: { readonly root: HTMLElement; readonly headline: HTMLElement; readonly detail: HTMLElement };
  readonly figures: HTMLElement;
  readonly facts: Readonly<Record<FactName, HTMLElement>>;
  readonly limitation: HTMLElement;
  readonly settings: SettingsForm;
}

/**
 * Builds the page for a stream.
 *
 * @param playerUrl where it can be watched
 */
export function createPublishView(path: string, playerUrl: string): PublishView {
  const head = createHead(path);
  const stage = createStage();
  const desk = createDesk();
  const figures = createFigures();
  const settings = createSettingsForm();
  desk.go.setAttribute('form', settings.root.id);
  const watch = element('a', { href: playerUrl, target: '_blank', rel: 'noopener' }, 'Open the player');
  const link = element(
    'section',
    { class: 'panel watch', 'aria-label': 'Watch it' },
    copyRow('Watch at', playerUrl),
    element('p', {}, watch),
  );
  const show = element('div', { class: 'show' }, stage.stage, desk.desk, desk.fault.root, figures.root, link);
  const root = element('div', { class: 'publish' }, head.head, element('main', {}, show, settings.root));
  return { ...head, ...stage, ...desk, ...figures, settings, root };
}

function createHead(path: string) {
  const back = element('a', { href: '/', class: 'back', title: 'All streams', 'aria-label': 'All streams' });
  back.append(icon('back'));
  const state = element('span', { class: 'state', role: 'status', 'aria-live': 'polite' });
  // Outside of what is read aloud when it changes: it does each second.
  const duration = element('span', { class: 'duration', role: 'timer', 'aria-label': 'Live for' });
  const title = element('div', { class: 'title' }, element('p', {}, 'Publish'), element('h1', {}, path));
  return { head: element('header', { class: 'head' }, back, title, state, duration), state, duration };
}

function createStage() {
  const video = element('video', { playsinline: '', autoplay: '', muted: '', 'aria-label': 'Preview' });
  // The attribute alone does nothing on elements made by script.
  video.muted = true;
  const headline = element('span', { class: 'headline' });
  const detail = element('span', { class: 'detail' });
  const retry = element('button', { type: 'button', hidden: '' });
  const message = element('p', { class: 'message', role: 'status', 'aria-live': 'polite' }, headline, ' ', detail);
  const stage = element('div', { class: 'stage' }, video, element('div', { class: 'notice' }, message, retry));
  return { stage, video, notice: { headline, detail, retry } };
}

function createDesk() {
  const microphone = iconButton('microphone', 'Mute the microphone');
  const camera = iconButton('camera', 'Camera off');
  const meter = element('div', {
    class: 'meter',
    role: 'meter',
    'aria-label': 'Microphone level',
    'aria-valuemin': String(SILENCE_DB),
    'aria-valuemax': '0',
  });
  const go = element('button', { type: 'submit', class: 'go' }, 'Go live');
  const desk = element('div', { class: 'desk', role: 'group', 'aria-label': 'Live' }, microphone, camera, meter, go);
  const headline = element('strong');
  const detail = element('span');
  const fault = element('p', { class: 'fault', role: 'alert' }, headline, ' ', detail);
  return { desk, microphone, camera, meter, go, fault: { root: fault, headline, detail } };
}

function createFigures() {
  const made = Object.entries(FACTS).map(([key, name]) => {
    const value = element('dd', {}, '–');
    return { key, value, row: element('div', {}, element('dt', {}, name), value) };
  });
  const limitation = element('p', { class: 'limitation', role: 'status', 'aria-live': 'polite' });
  const figures = element('dl', { class: 'facts', hidden: '' }, ...made.map(({ row }) => row));
  const facts = Object.fromEntries(made.map(({ key, value }) => [key, value])) as Record<FactName, HTMLElement>;
  return { root: element('div', { class: 'figures' }, figures, limitation), figures, facts, limitation };
}
