import { KEYS } from '../controls/keys.js';
import { element } from '../dom.js';
import { iconButton } from '../icon-button.js';
import { icon } from '../icons.js';
import type { Texts } from '../texts/texts.js';

/** The elements within the player. */
export interface PlayerView {
  /** Holds all but the dialogue. */
  readonly stage: HTMLElement;
  readonly video: HTMLVideoElement;
  /** The last picture, while the video element has none. */
  readonly lastFrame: HTMLCanvasElement;
  readonly message: { readonly headline: HTMLElement; readonly detail: HTMLElement };
  readonly soundPrompt: HTMLButtonElement;
  readonly bigPlay: HTMLButtonElement;
  readonly bar: HTMLElement;
  readonly play: HTMLButtonElement;
  readonly mute: HTMLButtonElement;
  readonly volume: HTMLInputElement;
  readonly timeBar: HTMLElement;
  /** Its place, from 0 (oldest) to 1 (live). */
  readonly seek: HTMLInputElement;
  readonly seekTip: HTMLElement;
  readonly edge: HTMLButtonElement;
  readonly behind: HTMLElement;
  readonly captions: HTMLButtonElement;
  readonly settings: HTMLButtonElement;
  readonly helpButton: HTMLButtonElement;
  readonly cast: HTMLButtonElement;
  readonly pictureInPicture: HTMLButtonElement;
  readonly fullScreen: HTMLButtonElement;
  readonly menu: SettingsView;
  readonly statistics: HTMLElement;
  readonly help: HTMLDialogElement;
}

/** What can be chosen. A row without a choice is hidden. */
export interface SettingsView {
  readonly panel: HTMLElement;
  readonly quality: HTMLSelectElement;
  readonly captions: HTMLSelectElement;
  readonly audioTrack: HTMLSelectElement;
  readonly protocol: HTMLSelectElement;
  readonly statistics: HTMLInputElement;
}

/** Builds what the player is made of. */
export function createPlayerView(texts: Texts): PlayerView {
  const picture = createPicture(texts);
  const controls = createControls(texts);
  const menu = createSettings(texts);
  const statistics = element('dl', { class: 'statistics', hidden: '', 'aria-label': texts.statistics });
  const stage = element(
    'div',
    { class: 'stage', part: 'stage', role: 'region', tabindex: '-1' },
    ...picture.layers,
    statistics,
    picture.bigPlay,
    picture.soundPrompt,
    controls.bar,
    menu.panel,
  );
  return { ...picture, ...controls, stage, menu, statistics, help: createHelp(texts) };
}

function createPicture(texts: Texts) {
  const video = element('video', { playsinline: '', 'x-webkit-airplay': 'allow' });
  const lastFrame = element('canvas', { class: 'last-frame', hidden: '', 'aria-hidden': 'true' });
  const headline = element('span', { class: 'headline' });
  const detail = element('span', { class: 'detail' });
  const message = element('p', { class: 'message', role: 'status', 'aria-live': 'polite' }, headline, ' ', detail);
  const wait = element('span', { class: 'spinner', 'aria-hidden': 'true' });
  const notice = element('div', { class: 'notice' }, wait, message);
  const soundPrompt = element('button', { type: 'button', class: 'sound-prompt', hidden: '' });
  soundPrompt.append(icon('muted'), texts.tapForSound);
  const bigPlay = element('button', { type: 'button', class: 'big-play', hidden: '', 'aria-label': texts.play });
  bigPlay.append(icon('play'));
  const layers = [video, lastFrame, notice];
  return { layers, video, lastFrame, message: { headline, detail }, soundPrompt, bigPlay };
}

function createControls(texts: Texts) {
  const slider = { type: 'range', min: '0', max: '1' };
  const play = iconButton('pause', `${texts.pause} (k)`);
  const mute = iconButton('sound', `${texts.mute} (m)`);
  const volumeNames = { 'aria-label': texts.volume, title: `${texts.volume} (↑ ↓)` };
  const volume = element('input', { ...slider, ...volumeNames, step: '0.05', class: 'volume' });
  const seek = element('input', { ...slider, step: 'any', 'aria-label': texts.time, class: 'seek' });
  const seekTip = element('output', { class: 'seek-tip', hidden: '', 'aria-hidden': 'true' });
  const timeBar = element('div', { class: 'time-bar', hidden: '' }, seek, seekTip);
  const behind = element('span', { class: 'behind' });
  const word = element('span', { class: 'word' }, texts.live);
  const edge = element('button', { type: 'button', class: 'edge' }, word, behind);
  const captions = iconButton('captions', `${texts.captionsOn} (c)`);
  captions.hidden = true;
  const settings = iconButton('settings', texts.settings);
  settings.setAttribute('aria-haspopup', 'dialog');
  settings.setAttribute('aria-expanded', 'false');
  const helpButton = iconButton('keys', `${texts.keysTitle} (?)`);
  helpButton.classList.add('for-keyboards');
  const cast = iconButton('cast', texts.cast);
  cast.hidden = true;
  const pictureInPicture = iconButton('picture', `${texts.pictureInPicture} (p)`);
  pictureInPicture.classList.add('for-room');
  const fullScreen = iconButton('full', `${texts.fullScreen} (f)`);
  const bar = element(
    'div',
    { class: 'bar', part: 'bar', role: 'group', 'aria-label': texts.controls },
    ...[timeBar, play, mute, volume, edge, element('span', { class: 'gap' })],
    ...[captions, settings, helpButton, cast, pictureInPicture, fullScreen],
  );
  return {
    ...{ bar, play, mute, volume, timeBar, seek, seekTip, edge, behind },
    ...{ captions, settings, helpButton, cast, pictureInPicture, fullScreen },
  };
}

function createSettings(texts: Texts): SettingsView {
  const quality = element('select');
  const captions = element('select');
  const audioTrack = element('select');
  const protocol = element('select');
  const statistics = element('input', { type: 'checkbox', role: 'switch' });
  const row = (name: string, field: HTMLElement) => element('label', {}, element('span', {}, name), field);
  const panel = element(
    'div',
    { class: 'menu', part: 'menu', role: 'dialog', 'aria-label': texts.settings, hidden: '' },
    row(texts.quality, quality),
    row(texts.captions, captions),
    row(texts.audioTrack, audioTrack),
    row(texts.protocol, protocol),
    row(texts.statistics, statistics),
  );
  return { panel, quality, captions, audioTrack, protocol, statistics };
}

function createHelp(texts: Texts): HTMLDialogElement {
  const rows = KEYS.flatMap(({ shown, what }) => [
    element('dt', {}, ...shown.map((key) => element('kbd', {}, key === '' ? texts.space : key))),
    element('dd', {}, texts.keys[what]),
  ]);
  const close = element('button', { type: 'submit' }, texts.close);
  return element(
    'dialog',
    { class: 'help', 'aria-label': texts.keysTitle },
    element('h2', {}, texts.keysTitle),
    element('dl', {}, ...rows),
    element('form', { method: 'dialog' }, close),
  );
}
