import { copyRow } from './copy-row.js';
import { element } from './dom.js';
import { rtmpServer } from './rtmp-address.js';

/** How to send a stream to this server: encoders reach it by the name that this page was reached by. */
export function publishGuide(hostname: string, rtmpPort: number): HTMLElement {
  const server = rtmpServer(hostname, rtmpPort);
  const command = `ffmpeg -re -i video.mp4 -c:v libx264 -preset veryfast -bf 0 -g 60 -c:a aac -f flv ${server}/show`;
  return element(
    'section',
    { class: 'guide' },
    element('h2', {}, 'Go live'),
    element('p', { class: 'hint' }, 'Publish to this server, and the stream appears here by itself.'),
    element('h3', {}, 'From this browser'),
    element('p', { class: 'hint' }, 'Camera or screen, by WebRTC. Choose a name for the stream.'),
    nameForm({ id: 'publish-name', page: 'publish', value: 'live/show', word: 'Publish from this browser' }),
    element('h3', {}, 'With OBS'),
    element('p', { class: 'hint' }, 'Settings → Stream → Service “Custom …”'),
    copyRow('Server', server),
    copyRow('Stream key', 'show'),
    element('h3', {}, 'With ffmpeg'),
    copyRow('Command', command),
  );
}

/** A way to a stream whose name one knows. */
export function openByName(): HTMLElement {
  const form = nameForm({ id: 'name', page: 'player', value: '', word: 'Watch' });
  form.prepend(element('label', { for: 'name' }, 'Watch a stream by its name'));
  form.classList.add('guide');
  return form;
}

/** Asks for the name of a stream and opens a page for it. */
function nameForm(about: { id: string; page: 'player' | 'publish'; value: string; word: string }): HTMLFormElement {
  const input = element('input', {
    id: about.id,
    name: 'name',
    value: about.value,
    placeholder: 'live/show',
    pattern: '[A-Za-z0-9_\\-][A-Za-z0-9._\\-]*(/[A-Za-z0-9_\\-][A-Za-z0-9._\\-]*)+',
    title: 'app/name, as in live/show',
    ...(about.page === 'publish' ? { 'aria-label': 'Name of the stream' } : {}),
    required: '',
    autocomplete: 'off',
    autocapitalize: 'off',
    spellcheck: 'false',
  });
  const button = element('button', { type: 'submit' }, about.word);
  const form = element('form', { class: 'open' }, element('div', { class: 'copy' }, input, button));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    location.assign(`/${about.page}/${input.value}`);
  });
  return form;
}
