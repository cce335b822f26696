import { element, icon } from './dom.js';
import { type PlayerProtocol, PROTOCOL_NAMES } from './protocol.js';

const ICONS = {
  play: 'M8 5v14l11-7z',
  pause: 'M6 5h4v14H6zM14 5h4v14h-4z',
  sound: 'M4 9v6h4l5 5V4L8 9zM16 8.500a5 5 0 0 1 0 7M18.500 6a8.500 8.500 0 0 1 0 12',
  muted: 'M4 9v6h4l5 5V4L8 9zM16.500 9.500l5 5M21.500 9.500l-5 5',
  picture: 'M3 5h18v14H3zM12 12h7v5h-7z',
  full: 'M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5',
  help: 'M9.500 9a2.500 2.500 0 1 1 3.600 2.300c-.8.4-1.100.9-1.100 1.700M12 17h.01',
} as const;

const KEYS: readonly (readonly [string, string])[] = [
  ['Space, K', 'play or pause'],
  ['M', 'sound on or off'],
  ['↑ ↓', 'volume'],
  ['F', 'full screen'],
  ['P', 'picture in picture'],
  ['L', 'to the live edge'],
  ['?', 'this help'],
];

/** The elements of the player page that its logic works on. */
export interface PlayerView {
  readonly root: HTMLElement;
  readonly stage: HTMLElement;
  readonly video: HTMLVideoElement;
  readonly message: HTMLElement;
  readonly soundPrompt: HTMLButtonElement;
  readonly play: HTMLButtonElement;
  readonly mute: HTMLButtonElement;
  readonly volume: HTMLInputElement;
  readonly edge: HTMLButtonElement;
  readonly latency: HTMLElement;
  readonly buffer: HTMLElement;
  readonly protocol: HTMLSelectElement;
  readonly quality: HTMLSelectElement;
  readonly pictureInPicture: HTMLButtonElement;
  readonly fullScreen: HTMLButtonElement;
  readonly helpButton: HTMLButtonElement;
  readonly help: HTMLDialogElement;
  readonly tracks: HTMLElement;
  readonly viewers: HTMLElement;
}

function iconButton(name: keyof typeof ICONS, label: string): HTMLButtonElement {
  const button = element('button', { type: 'button', class: 'icon', 'aria-label': label, title: label });
  button.append(icon(ICONS[name]));
  return button;
}

/** Shows another icon and says another thing. */
export function setButton(button: HTMLButtonElement, name: keyof typeof ICONS, label: string): void {
  if (button.title === label) return;
  button.title = label;
  button.setAttribute('aria-label', label);
  button.replaceChildren(icon(ICONS[name]));
}

/** Builds the page for a stream. */
export function createPlayerView(path: string): PlayerView {
  const video = element('video', { playsinline: '', 'aria-label': `Live stream ${path}` });
  const message = element('p', { class: 'message', role: 'status', 'aria-live': 'polite' });
  const soundPrompt = element('button', { type: 'button', class: 'sound-prompt', hidden: '' }, 'Tap for sound');
  const play = iconButton('pause', 'Pause (k)');
  const mute = iconButton('sound', 'Mute (m)');
  const volume = element('input', {
    type: 'range',
    min: '0',
    max: '1',
    step: '0.05',
    'aria-label': 'Volume',
    class: 'volume',
  });
  const edge = element('button', { type: 'button', class: 'edge', title: 'To the live edge (l)' }, 'LIVE');
  const latency = element('span', { class: 'figure' });
  const buffer = element('span', { class: 'figure' });
  const protocol = element('select', { 'aria-label': 'Protocol', title: 'Protocol' });
  for (const [value, name] of Object.entries(PROTOCOL_NAMES) as [PlayerProtocol, string][]) {
    protocol.append(element('option', { value }, name));
  }
  const quality = element(
    'select',
    { 'aria-label': 'Quality', title: 'Quality', disabled: '' },
    element('option', {}, 'Source'),
  );
  const pictureInPicture = iconButton('picture', 'Picture in picture (p)');
  const fullScreen = iconButton('full', 'Full screen (f)');
  const helpButton = iconButton('help', 'Keys (?)');
  const help = createHelp();
  const bar = element(
    'div',
    { class: 'bar', role: 'group', 'aria-label': 'Player controls' },
    play,
    mute,
    volume,
    edge,
    element('div', { class: 'figures' }, latency, buffer),
    protocol,
    quality,
    helpButton,
    pictureInPicture,
    fullScreen,
  );
  const stage = element('div', { class: 'stage' }, video, message, soundPrompt, bar);
  const tracks = element('span', { class: 'tracks' });
  const viewers = element('span', { class: 'viewers' });
  const back = element('a', { href: '/', class: 'back', title: 'All streams' }, '← All streams');
  const caption = element('footer', { class: 'caption' }, back, element('h1', {}, path), tracks, viewers);
  const root = element('div', { class: 'player' }, stage, caption, help);
  return {
    root,
    stage,
    video,
    message,
    soundPrompt,
    play,
    mute,
    volume,
    edge,
    latency,
    buffer,
    protocol,
    quality,
    pictureInPicture,
    fullScreen,
    helpButton,
    help,
    tracks,
    viewers,
  };
}

function createHelp(): HTMLDialogElement {
  const rows = KEYS.flatMap(([key, what]) => [element('dt', {}, element('kbd', {}, key)), element('dd', {}, what)]);
  const close = element('button', { type: 'submit' }, 'Close');
  const form = element('form', { method: 'dialog' }, close);
  return element(
    'dialog',
    { class: 'help', 'aria-label': 'Keys' },
    element('h2', {}, 'Keys'),
    element('dl', {}, ...rows),
    form,
  );
}
