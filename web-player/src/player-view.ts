import { KEYS } from './controls/keys.js';
import { element } from './dom.js';
import { iconButton } from './icon-button.js';
import { icon } from './icons.js';
import { PROTOCOL_NAMES, PROTOCOLS } from './protocol.js';

/** The elements of the player page that its logic works on. */
export interface PlayerView {
  readonly root: HTMLElement;
  readonly stage: HTMLElement;
  readonly video: HTMLVideoElement;
  /** The last picture, while the video element has none. */
  readonly lastFrame: HTMLCanvasElement;
  readonly message: { readonly root: HTMLElement; readonly headline: HTMLElement; readonly detail: HTMLElement };
  readonly soundPrompt: HTMLButtonElement;
  readonly bigPlay: HTMLButtonElement;
  readonly play: HTMLButtonElement;
  readonly mute: HTMLButtonElement;
  readonly volume: HTMLInputElement;
  readonly timeBar: HTMLElement;
  /** Its place, from 0 (oldest) to 1 (live). */
  readonly seek: HTMLInputElement;
  readonly seekTip: HTMLElement;
  readonly edge: HTMLButtonElement;
  readonly behind: HTMLElement;
  readonly pictureInPicture: HTMLButtonElement;
  readonly fullScreen: HTMLButtonElement;
  readonly helpButton: HTMLButtonElement;
  readonly help: HTMLDialogElement;
  readonly state: HTMLElement;
  readonly viewers: HTMLElement;
  readonly protocol: HTMLSelectElement;
  readonly quality: HTMLSelectElement;
  readonly figures: HTMLElement;
  readonly facts: Readonly<Record<'picture' | 'sound' | 'latency' | 'buffer', Fact>>;
}

/** A figure with its name. */
export interface Fact {
  readonly name: HTMLElement;
  readonly value: HTMLElement;
}

/** Builds the page for a stream. */
export function createPlayerView(path: string): PlayerView {
  const stage = createStage(path);
  const details = createDetails(path);
  const help = createHelp();
  const root = element('div', { class: 'player' }, stage.stage, details.root, help);
  return { ...stage, ...details, help, root };
}

function createStage(path: string) {
  const video = element('video', { playsinline: '', 'aria-label': `Live stream ${path}` });
  const lastFrame = element('canvas', { class: 'last-frame', hidden: '', 'aria-hidden': 'true' });
  const headline = element('span', { class: 'headline' });
  const detail = element('span', { class: 'detail' });
  const messageRoot = element('p', { class: 'message', role: 'status', 'aria-live': 'polite' }, headline, ' ', detail);
  const soundPrompt = element('button', { type: 'button', class: 'sound-prompt', hidden: '' });
  soundPrompt.append(icon('muted'), 'Tap for sound');
  const bigPlay = element('button', { type: 'button', class: 'big-play', hidden: '', 'aria-label': 'Play' });
  bigPlay.append(icon('play'));
  const play = iconButton('pause', 'Pause (k)');
  const mute = iconButton('sound', 'Mute (m)');
  const volume = element('input', {
    type: 'range',
    min: '0',
    max: '1',
    step: '0.05',
    'aria-label': 'Volume',
    title: 'Volume (↑ ↓)',
    class: 'volume',
  });
  const seek = element('input', {
    type: 'range',
    min: '0',
    max: '1',
    step: 'any',
    'aria-label': 'Time',
    class: 'seek',
  });
  const seekTip = element('output', { class: 'seek-tip', hidden: '', 'aria-hidden': 'true' });
  const timeBar = element('div', { class: 'time-bar', hidden: '' }, seek, seekTip);
  const behind = element('span', { class: 'behind' });
  const edge = element('button', { type: 'button', class: 'edge' }, element('span', { class: 'word' }, 'LIVE'), behind);
  const helpButton = iconButton('keys', 'Keys (?)');
  helpButton.classList.add('for-keyboards');
  const pictureInPicture = iconButton('picture', 'Picture in picture (p)');
  const fullScreen = iconButton('full', 'Full screen (f)');
  const bar = element(
    'div',
    { class: 'bar', role: 'group', 'aria-label': 'Player controls' },
    timeBar,
    play,
    mute,
    volume,
    edge,
    element('span', { class: 'gap' }),
    helpButton,
    pictureInPicture,
    fullScreen,
  );
  const wait = element('span', { class: 'spinner', 'aria-hidden': 'true' });
  const notice = element('div', { class: 'notice' }, wait, messageRoot);
  const stage = element('div', { class: 'stage' }, video, lastFrame, notice, bigPlay, soundPrompt, bar);
  const message = { root: messageRoot, headline, detail };
  return {
    ...{ stage, video, lastFrame, message, soundPrompt, bigPlay },
    ...{ play, mute, volume, timeBar, seek, seekTip, edge, behind, helpButton, pictureInPicture, fullScreen },
  };
}

function createDetails(path: string) {
  const back = element('a', { href: '/', class: 'back', title: 'All streams', 'aria-label': 'All streams' });
  back.append(icon('back'));
  const state = element('span', { class: 'state' });
  const viewers = element('span', { class: 'viewers' });
  const protocol = element('select', { 'aria-label': 'Protocol' });
  for (const name of PROTOCOLS) protocol.append(element('option', { value: name }, PROTOCOL_NAMES[name]));
  const quality = element('select', { 'aria-label': 'Quality', disabled: '' }, element('option', {}, 'Source'));
  const facts = { picture: fact('Picture'), sound: fact('Sound'), latency: fact('Latency'), buffer: fact('Buffer') };
  const figures = element(
    'dl',
    { class: 'facts', hidden: '' },
    ...Object.values(facts).map(({ name, value }) => element('div', {}, name, value)),
  );
  const href = `/player/${path}/recordings${location.search}`;
  const recordings = element('a', { href, class: 'to-recordings' }, 'Recordings');
  const root = element(
    'footer',
    { class: 'details' },
    back,
    element('div', { class: 'title' }, element('h1', {}, path), state, viewers, recordings),
    figures,
    element('div', { class: 'settings' }, protocol, quality),
  );
  return { root, state, viewers, protocol, quality, figures, facts };
}

function fact(name: string): Fact {
  return { name: element('dt', {}, name), value: element('dd', {}, '–') };
}

function createHelp(): HTMLDialogElement {
  const rows = KEYS.flatMap(({ shown, what }) => [
    element('dt', {}, ...shown.map((key) => element('kbd', {}, key))),
    element('dd', {}, what),
  ]);
  const close = element('button', { type: 'submit' }, 'Close');
  return element(
    'dialog',
    { class: 'help', 'aria-label': 'Keys' },
    element('h2', {}, 'Keys'),
    element('dl', {}, ...rows),
    element('form', { method: 'dialog' }, close),
  );
}
