import { element, required } from './dom.js';
import { describeTracks, formatCount, formatDuration } from './format.js';
import { fetchStreams, type StreamStatus } from './status-client.js';

const POLL_MS = 2000;
const COPIED_MS = 1500;
/** RTMP's own port, which URLs need not name. */
const DEFAULT_RTMP_PORT = 1935;

const summary = required('summary');
const list = required('streams');
let shown = '';

void refresh();

async function refresh(): Promise<void> {
  try {
    const answer = await fetchStreams();
    if (answer.kind === 'hidden') show('hidden', 'This server keeps its list of streams to itself.', []);
    else showStreams(answer.streams, answer.rtmpPort);
  } catch {
    summary.textContent = 'The server does not answer. Trying again …';
  }
  setTimeout(() => void refresh(), POLL_MS);
}

function showStreams(streams: readonly StreamStatus[], rtmpPort: number): void {
  if (streams.length === 0) {
    show('empty', 'Nothing is live yet.', [howToPublish(rtmpPort)]);
    return;
  }
  const sorted = [...streams].sort((a, b) => a.path.localeCompare(b.path));
  const grid = element('ul', { class: 'cards' }, ...sorted.map(card));
  show(JSON.stringify(sorted), `${formatCount(streams.length, 'stream')} live`, [grid]);
}

/** Replaces what is shown only when it changed, so that a focus or a selection survives. */
function show(key: string, text: string, content: readonly HTMLElement[]): void {
  if (summary.textContent !== text) summary.textContent = text;
  if (key === shown) {
    refreshTimes();
    return;
  }
  shown = key;
  const focused = document.activeElement?.getAttribute('href');
  list.replaceChildren(...content);
  if (focused) list.querySelector<HTMLElement>(`a[href="${CSS.escape(focused)}"]`)?.focus();
  refreshTimes();
}

function card(stream: StreamStatus): HTMLElement {
  const waiting = stream.state === 'waiting';
  const badge = element('span', { class: waiting ? 'badge waiting' : 'badge' }, waiting ? 'encoder gone' : 'live');
  const time = element('span', { 'data-since': stream.since ?? '' });
  const meta = element('p', { class: 'meta' }, formatCount(stream.viewers, 'viewer'), ' · ', time);
  const link = element(
    'a',
    { href: `/player/${stream.path}`, class: 'card' },
    element('div', { class: 'row' }, element('h2', {}, stream.path), badge),
    element('p', { class: 'tracks' }, describeTracks(stream.tracks) || 'waiting for the first picture'),
    meta,
  );
  return element('li', {}, link);
}

function refreshTimes(): void {
  for (const time of list.querySelectorAll<HTMLElement>('[data-since]')) {
    const since = Date.parse(time.dataset.since ?? '');
    time.textContent = Number.isNaN(since) ? '' : formatDuration((Date.now() - since) / 1000);
  }
}

/** Encoders reach the server by the name that this page was reached by. */
function howToPublish(rtmpPort: number): HTMLElement {
  const port = rtmpPort === DEFAULT_RTMP_PORT || rtmpPort === 0 ? '' : `:${rtmpPort}`;
  const server = `rtmp://${location.hostname}${port}/live`;
  const command = `ffmpeg -re -i video.mp4 -c:v libx264 -preset veryfast -bf 0 -g 60 -c:a aac -f flv ${server}/show`;
  return element(
    'section',
    { class: 'guide' },
    element('h2', {}, 'Go live'),
    element('p', {}, 'In OBS, under Settings → Stream, choose “Custom” and enter:'),
    copyRow('Server', server),
    copyRow('Stream key', 'show'),
    element('p', {}, 'or send a file with ffmpeg:'),
    copyRow('ffmpeg', command),
    element('p', { class: 'hint' }, 'The stream appears here by itself.'),
  );
}

function copyRow(label: string, text: string): HTMLElement {
  const button = element('button', { type: 'button', 'aria-label': `Copy ${label}` }, 'Copy');
  button.addEventListener('click', () => {
    void navigator.clipboard?.writeText(text).then(() => {
      button.textContent = 'Copied';
      setTimeout(() => {
        button.textContent = 'Copy';
      }, COPIED_MS);
    });
  });
  return element(
    'div',
    { class: 'copy' },
    element('span', { class: 'label' }, label),
    element('code', {}, text),
    button,
  );
}
