import { copyText } from './copy-text.js';
import { element } from './dom.js';
import { rtmpServer } from './rtmp-address.js';

const COPIED_MS = 1500;

/** How to send a stream to this server: encoders reach it by the name that this page was reached by. */
export function publishGuide(hostname: string, rtmpPort: number): HTMLElement {
  const server = rtmpServer(hostname, rtmpPort);
  const command = `ffmpeg -re -i video.mp4 -c:v libx264 -preset veryfast -bf 0 -g 60 -c:a aac -f flv ${server}/show`;
  return element(
    'section',
    { class: 'guide' },
    element('h2', {}, 'Go live'),
    element('p', { class: 'hint' }, 'Publish to this server, and the stream appears here by itself.'),
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
  const input = element('input', {
    id: 'name',
    name: 'name',
    placeholder: 'live/show',
    pattern: '[A-Za-z0-9_\\-][A-Za-z0-9._\\-]*(/[A-Za-z0-9_\\-][A-Za-z0-9._\\-]*)+',
    title: 'app/name, as in live/show',
    required: '',
    autocomplete: 'off',
    autocapitalize: 'off',
    spellcheck: 'false',
  });
  const form = element(
    'form',
    { class: 'guide open' },
    element('label', { for: 'name' }, 'Watch a stream by its name'),
    element('div', { class: 'copy' }, input, element('button', { type: 'submit' }, 'Watch')),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    location.assign(`/player/${input.value}`);
  });
  return form;
}

function copyRow(label: string, text: string): HTMLElement {
  const code = element('code', {}, text);
  const button = element('button', { type: 'button', 'aria-label': `Copy ${label}` }, 'Copy');
  const tell = (word: string) => {
    button.textContent = word;
    setTimeout(() => {
      button.textContent = 'Copy';
    }, COPIED_MS);
  };
  button.addEventListener('click', () => {
    void copyText(text, code).then((copied) => tell(copied ? 'Copied' : 'Press Ctrl+C'));
  });
  return element('div', { class: 'copy' }, element('span', { class: 'label' }, label), code, button);
}
