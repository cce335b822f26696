import { element, setText } from '../../../dom.js';
import { describeTrack } from '../../../format.js';
import { pathPart } from '../../api-client/api-client.js';
import { badge } from '../../components/badge.js';
import { button } from '../../components/button.js';
import { copyRow } from '../../components/copy-row.js';
import { askDialog } from '../../components/dialog.js';
import { emptyState } from '../../components/empty-state.js';
import { eventList } from '../../components/event-list.js';
import { factList } from '../../components/fact-list.js';
import { healthWords } from '../../components/health-words.js';
import { icon } from '../../components/icon.js';
import { protocolCounts } from '../../components/stream-words.js';
import { followSessions } from '../../feed/session-feed.js';
import type { Ports, StreamView } from '../../feed/views.js';
import type { Mount, PageContext } from '../../page.js';
import { sessionTable } from '../sessions/session-table.js';
import { sessionTexts } from '../sessions/texts.js';
import { mediaOrigin, type Place, publishAddresses, type StreamAddress, watchAddresses } from './addresses.js';
import { plots } from './plots.js';
import { preview } from './preview.js';
import { publisherPanel } from './publisher.js';
import { recordingButton } from './recording-button.js';
import { streamTexts } from './texts.js';

const SHOWN_EVENTS = 10;

/** Everything about one stream. */
export const mount: Mount = (root, context) => {
  const { api, feed, i18n, params, signal, setTitle, fail } = context;
  const words = i18n.words(streamTexts);
  const { path = '' } = params;
  setTitle(path);
  let place: Place | undefined;
  const origin = () => (place === undefined ? location.origin : mediaOrigin(place));

  const head = headOf(context, path, origin);
  const look = preview(context, path, origin);
  const figures = figuresPanel(context);
  const publisher = publisherPanel(context);
  const graphs = plots(context, path);
  const watching = context.i18n.words(sessionTexts);
  const viewers = sessionTable({
    context,
    caption: watching('viewersCaption', { path }),
    empty: emptyState(watching('noViewers'), watching('noViewersText')),
    viewersOnly: true,
  });
  const events = eventList(i18n, words('quiet'));
  const addresses = element('div', { class: 'address-panels' });
  const gone = emptyState(words('gone'), words('goneText'));
  gone.hidden = true;
  const panel = (title: string, ...content: HTMLElement[]) =>
    element('section', { class: 'panel' }, element('h2', {}, title), ...content);
  const left = element('div', { class: 'column' }, look.root, graphs.root);
  const right = element('div', { class: 'column' }, figures.root, publisher.root);
  const details = element('div', { class: 'stream-page' }, left, right);
  const watchers = element('section', {}, element('h2', { class: 'section' }, words('watchers')), viewers.root);
  const happened = panel(words('events'), events.root);
  root.append(head.root, gone, details, watchers, addresses);

  void api
    .get<{ ports: Ports | null }>('/server', { signal })
    .then(({ ports }) => {
      if (ports === null) return;
      place = { hostname: location.hostname, isSecure: location.protocol === 'https:', ports };
      addresses.replaceChildren(...addressPanels(context, path, place));
      head.show(feed.streams.get(path));
    })
    .catch(fail);
  followSessions({
    api,
    query: { path },
    signal,
    show: (sessions) => {
      publisher.show(sessions.find(({ action }) => action === 'publish'));
      viewers.show(sessions.filter(({ action }) => action === 'play'));
    },
  });
  let shown: StreamView | undefined;
  feed.follow((changed) => {
    const stream = feed.streams.get(path);
    gone.hidden = stream !== undefined || !feed.isReady;
    details.hidden = stream === undefined;
    watchers.hidden = stream === undefined;
    head.show(stream);
    // What has happened tells why it is gone, too.
    const home = stream === undefined ? root : right;
    if (happened.parentElement !== home) home.append(happened);
    if (changed.has('events')) events.show(feed.events.filter((event) => event.path === path).slice(0, SHOWN_EVENTS));
    if (stream === undefined || stream === shown) return;
    if (shown !== undefined) graphs.add(stream);
    shown = stream;
    figures.show(stream);
    if (stream.state === 'live') look.refresh();
  }, signal);
  return () => {
    look.close();
    graphs.close();
  };
};

/** How the stream is, in badges and in words, and what can be done. */
function headOf(context: PageContext, path: string, origin: () => string) {
  const { api, i18n, may, toast } = context;
  const words = i18n.words(streamTexts);
  const state = badge();
  const health = badge();
  const reasons = element('ul', { class: 'reasons' });
  const recording = recordingButton(context, path);
  const cut = button({
    label: words('cut'),
    icon: 'close',
    disabled: !may('sessions'),
    onPress: async () => {
      const done = await askDialog({
        i18n,
        title: words('cutTitle'),
        body: [words('cutText', { path })],
        action: words('cut'),
        danger: true,
        act: () => api.delete(`/streams/${pathPart(path)}`),
      });
      if (done) toast(words('cutDone'), 'good');
    },
  });
  const player = element(
    'a',
    { class: 'button', target: '_blank', rel: 'noopener' },
    icon('external'),
    words('openPlayer'),
  );
  const root = element(
    'div',
    { class: 'stream-head' },
    element('p', { class: 'head-badges' }, state.root, health.root),
    reasons,
    element('div', { class: 'actions' }, ...recording.buttons, cut, player),
    recording.told,
  );
  const show = (stream: StreamView | undefined) => {
    root.hidden = stream === undefined;
    if (stream === undefined) return;
    const isLive = stream.state === 'live';
    state.set(words(isLive ? 'live' : 'waiting'), isLive ? 'live' : 'warning');
    health.set(words(stream.health.state), stream.health.state);
    const told = stream.health.reasons.map((why) => healthWords(why, i18n));
    if (reasons.textContent !== told.join('')) reasons.replaceChildren(...told.map((text) => element('li', {}, text)));
    recording.show(isLive);
    cut.disabled = !may('sessions') || !isLive;
    player.href = `${origin()}/player/${path}`;
  };
  return { root, show };
}

function figuresPanel({ i18n }: PageContext) {
  const words = i18n.words(streamTexts);
  const { format } = i18n;
  const facts = factList({
    picture: words('picture'),
    sound: words('sound'),
    bitrate: words('bitrate'),
    fps: words('fps'),
    keyframes: words('keyframes'),
    drift: words('drift'),
    bFrames: words('bFrames'),
    viewers: words('viewers'),
    since: words('liveSince'),
    received: words('received'),
  });
  const wrong = element('p', { class: 'hint' });
  const root = element('section', { class: 'panel' }, element('h2', {}, words('figures')), facts.root, wrong);
  const show = (stream: StreamView) => {
    const { figures, tracks, viewersByProtocol, received, health } = stream;
    const [video, audio] = (['video', 'audio'] as const).map((kind) => tracks.find((track) => track.kind === kind));
    facts.show({
      picture: video === undefined ? words('none') : describeTrack(video),
      sound: audio === undefined ? words('none') : describeTrack(audio),
      bitrate: format.bitrate(figures.bitrate),
      fps: video === undefined ? undefined : format.number(figures.fps, 2),
      keyframes: video === undefined ? undefined : format.seconds(figures.keyframeInterval),
      drift: video === undefined || audio === undefined ? undefined : format.signedMillis(figures.avDrift),
      bFrames: video === undefined ? undefined : words(stream.bFrames ? 'yes' : 'no'),
      viewers: protocolCounts(viewersByProtocol, i18n) ?? '0',
      since: format.dateTime(stream.since),
      received: format.bytes(received.bytes),
    });
    setText(wrong, health.state === 'good' ? words('nothingWrong') : '');
  };
  return { root, show };
}

function addressPanels({ i18n }: PageContext, path: string, place: Place): HTMLElement[] {
  const words = i18n.words(streamTexts);
  const rows = (all: readonly StreamAddress[]) =>
    all.map(({ kind, text, qr }) => copyRow(i18n, { label: words(kind), text, qr }));
  const hint = () => element('p', { class: 'hint' }, words('credentialHint'));
  const panel = (title: string, all: readonly StreamAddress[]) =>
    element('section', { class: 'panel' }, element('h2', {}, title), ...rows(all), hint());
  return [
    panel(words('addresses'), watchAddresses(path, place)),
    panel(words('publishHere'), publishAddresses(path, place)),
  ];
}
