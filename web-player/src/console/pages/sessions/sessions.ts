import { element, setText } from '../../../dom.js';
import { emptyState } from '../../components/empty-state.js';
import { selectField, textField } from '../../components/field.js';
import { protocolName } from '../../components/stream-words.js';
import { followSessions } from '../../feed/session-feed.js';
import type { SessionView } from '../../feed/views.js';
import type { Mount } from '../../page.js';
import { sessionTable } from './session-table.js';
import { sessionTexts } from './texts.js';

const PROTOCOLS = ['rtmp', 'rtmps', 'http-flv', 'ws-flv', 'hls', 'dash', 'srt', 'webrtc', 'recording'] as const;

/** Who publishes and who watches, on every protocol. */
export const mount: Mount = (root, context) => {
  const { api, i18n, query, setQuery } = context;
  const words = i18n.words(sessionTexts);
  const action = selectField({
    label: words('action'),
    name: 'action',
    value: query.get('action') ?? '',
    options: [
      { value: '', label: words('both') },
      { value: 'publish', label: words('publishers') },
      { value: 'play', label: words('viewers') },
    ],
  });
  const protocol = selectField({
    label: words('protocol'),
    name: 'protocol',
    value: query.get('protocol') ?? '',
    options: [{ value: '', label: words('any') }, ...PROTOCOLS.map((value) => ({ value, label: protocolName(value) }))],
  });
  const path = textField({ label: words('path'), name: 'path', placeholder: 'live/*', value: query.get('path') ?? '' });
  const search = textField({
    label: words('search'),
    name: 'search',
    type: 'search',
    placeholder: words('searchHint'),
    value: query.get('search') ?? '',
  });
  const toolbar = element('div', { class: 'toolbar' }, action.root, protocol.root, path.root, search.root);
  const nothing = emptyState(words('nothing'), words('nothingText'));
  const noMatch = emptyState(words('noMatch'), words('noMatchText'));
  noMatch.hidden = true;
  const sessions = sessionTable({ context, caption: words('caption'), empty: element('div') });
  const count = element('p', { class: 'hint', role: 'status' });
  root.append(toolbar, count, sessions.root, nothing, noMatch);
  nothing.hidden = true;

  let line: AbortController | undefined;
  let all: readonly SessionView[] = [];
  let total = 0;
  const isFiltered = () => [action, protocol, path, search].some(({ input }) => input.value.trim() !== '');
  const refresh = () => {
    const wanted = search.input.value.trim().toLowerCase();
    // Until the server has answered to another filter, what it told before is still there.
    const [what, how] = [action.input.value, protocol.input.value];
    const shown = all.filter(
      (session) =>
        (what === '' || session.action === what) &&
        (how === '' || session.protocol === how) &&
        fitsText(session, wanted),
    );
    sessions.show(shown);
    nothing.hidden = shown.length > 0 || isFiltered();
    noMatch.hidden = shown.length > 0 || !isFiltered();
    const more = total > all.length ? ` ${words('of', { shown: all.length, total })}` : '';
    setText(count, words('shown', { n: shown.length }) + more);
  };
  const follow = () => {
    line?.abort();
    line = new AbortController();
    followSessions({
      api,
      query: { action: action.input.value, protocol: protocol.input.value, path: path.input.value.trim() },
      signal: AbortSignal.any([line.signal, context.signal]),
      show: (next, of) => {
        all = next;
        total = of;
        refresh();
      },
    });
  };
  toolbar.addEventListener('change', (event) => {
    if (event.target !== search.input) follow();
  });
  toolbar.addEventListener('input', () => {
    const values = [action, protocol, path, search].map(({ input }) => [input.name, input.value.trim()]);
    setQuery(Object.fromEntries(values));
    refresh();
  });
  follow();
  return () => line?.abort();
};

function fitsText({ ip, addresses, viewer, userAgent, path, id }: SessionView, wanted: string): boolean {
  return [ip, ...addresses, viewer ?? '', userAgent ?? '', path, id].some((text) =>
    text.toLowerCase().includes(wanted),
  );
}
