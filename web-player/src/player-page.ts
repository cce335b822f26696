import { element, required, setText } from './dom.js';
import type { SluicePlayer } from './element/public.js';
import { createPlayerPage, type PlayerPage, showFigures } from './player-page-view.js';
import { isProtocol, streamPathOf } from './protocol.js';
import { textsFor } from './texts/texts.js';

const FIGURES_MS = 500;
/** What the page's own URL says to the page; the rest is for the server. */
const OWN_PARAMETERS = ['protocol', 'muted', 'lang'] as const;

const query = new URLSearchParams(location.search);
const asked = query.get('lang');
const texts = textsFor(asked === null ? navigator.languages : [asked, ...navigator.languages]);
document.documentElement.lang = texts.locale;

const path = streamPathOf(location.pathname);
if (path === undefined) {
  const toStart = element('a', { href: '/' }, texts.allStreams);
  required('player').append(element('p', { class: 'astray' }, texts.astray, ' ', toStart));
} else {
  open(path);
}

function open(streamPath: string): void {
  document.title = `${streamPath} · Sluice`;
  const player = element('sluice-player', { autoplay: '', controls: '', hotkeys: 'page' });
  const protocol = query.get('protocol');
  if (isProtocol(protocol)) player.setAttribute('protocol', protocol);
  if (query.get('muted') === '1') player.setAttribute('muted', '');
  const forServer = new URLSearchParams(query);
  for (const name of OWN_PARAMETERS) forServer.delete(name);
  player.src = `/${streamPath}${forServer.size === 0 ? '' : `?${forServer}`}`;
  const page = createPlayerPage(streamPath, player, texts);
  required('player').append(page.root);
  player.addEventListener('protocolchoice', ({ detail }) => {
    query.set('protocol', detail.protocol);
    history.replaceState(null, '', `?${query}`);
  });
  keepCredentialAside(page);
  const show = () => refresh(page, player);
  player.addEventListener('statechange', show);
  setInterval(show, FIGURES_MS);
  show();
  Object.defineProperty(window, 'sluicePlayer', { get: () => player.statistics });
}

function refresh(page: PlayerPage, player: SluicePlayer): void {
  const { statistics } = player;
  if (statistics === undefined) return;
  const { videoWidth, videoHeight } = statistics;
  if (videoHeight > 0) player.style.setProperty('--picture-aspect', String(videoWidth / videoHeight));
  showFigures(page, statistics, texts);
  const name = statistics.state === 'playing' && statistics.shifted ? texts.earlier : texts.states[statistics.state];
  setText(page.state, name);
}

/** The page's query goes along to the recordings, but is written into the link only when it is followed. */
function keepCredentialAside({ recordings }: PlayerPage): void {
  const bare = recordings.href;
  const follow = () => {
    recordings.href = bare + location.search;
    setTimeout(() => {
      recordings.href = bare;
    });
  };
  for (const name of ['click', 'auxclick'] as const) recordings.addEventListener(name, follow);
}
