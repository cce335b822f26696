import { element } from '../../../dom.js';
import { pathPart } from '../../api-client/api-client.js';
import { badge } from '../../components/badge.js';
import { button } from '../../components/button.js';
import { confirm } from '../../components/confirm.js';
import { emptyState } from '../../components/empty-state.js';
import { loaded } from '../../components/loaded.js';
import { table } from '../../components/table.js';
import type { RecordingView } from '../../feed/views.js';
import type { Mount, PageContext } from '../../page.js';
import { texts } from './texts.js';

interface RecordedPath {
  readonly path: string;
  readonly files: number;
  readonly bytes: number;
  readonly first: string;
  readonly last: string;
}

const TONES = { recording: 'live', waiting: 'warning', paused: 'bad' } as const;
/** Events after which there may be more or fewer files. */
const TELLING = new Set(['recording-file-ready', 'recording-ended', 'recording-started', 'recording-file-damaged']);

/** Streams of which something is recorded, and recordings under way. */
export const mount: Mount = (root, context) => {
  const { api, feed, i18n, signal } = context;
  const words = i18n.words(texts);
  context.setTitle(words('title'));
  const active = activeTable(context);
  const paths = pathTable(context);
  const list = loaded<{ paths: RecordedPath[] }>(context, {
    ask: () => api.get('/recordings/paths', { signal }),
    show: (answer) => paths.show(answer.paths),
    content: [paths.root],
  });
  root.append(
    element('p', { class: 'intro' }, words('intro')),
    element('section', { class: 'stack' }, element('h2', {}, words('active')), active.root),
    element('section', { class: 'stack' }, element('h2', {}, words('streams')), list.root),
  );
  let seen: number | undefined;
  feed.follow((changed) => {
    if (!feed.isReady) return;
    if (changed.has('recordings')) active.show([...feed.recordings.values()]);
    if (!changed.has('events')) return;
    const newest = feed.events.find(({ type }) => TELLING.has(type))?.id;
    if (seen !== undefined && newest !== seen) void list.reload();
    seen = newest ?? 0;
  }, signal);
  return () => undefined;
};

function pathTable({ i18n }: PageContext) {
  const words = i18n.words(texts);
  const { format } = i18n;
  return table<RecordedPath>({
    caption: words('streams'),
    key: ({ path }) => path,
    empty: emptyState(words('none'), words('noneText')),
    sort: { column: 4, down: true },
    columns: [
      {
        title: words('stream'),
        sortBy: ({ path }) => path,
        cell: ({ path }) => element('a', { href: `/console/recordings/${pathPart(path)}` }, path),
      },
      { title: words('files'), numeric: true, sortBy: ({ files }) => files, cell: ({ files }) => format.number(files) },
      { title: words('size'), numeric: true, sortBy: ({ bytes }) => bytes, cell: ({ bytes }) => format.bytes(bytes) },
      { title: words('first'), sortBy: ({ first }) => first, cell: ({ first }) => format.dateTime(first) },
      { title: words('last'), sortBy: ({ last }) => last, cell: ({ last }) => format.dateTime(last) },
    ],
  });
}

function activeTable(context: PageContext) {
  const { api, i18n, may, toast, fail } = context;
  const words = i18n.words(texts);
  const { format } = i18n;
  const stop = async ({ id, path }: RecordingView) => {
    const done = await confirm(context, {
      title: words('stopTitle', { path }),
      text: words('stopText'),
      action: words('stopShort'),
      act: () => api.post(`/recordings/active/${id}/stop`),
    });
    if (done) toast(words('stopped', { path }), 'good');
  };
  const split = async ({ id, path }: RecordingView) => {
    try {
      await api.post(`/recordings/active/${id}/split`);
      toast(words('splitDone', { path }), 'good');
    } catch (error) {
      fail(error);
    }
  };
  const actions = {
    title: words('actions'),
    actions: true,
    cell: (recording: RecordingView) => {
      const { path } = recording;
      const cut = button({ label: words('splitShort'), kind: 'quiet', onPress: () => split(recording) });
      cut.setAttribute('aria-label', words('split', { path }));
      const end = button({ label: words('stopShort'), icon: 'stop', onPress: () => stop(recording) });
      end.setAttribute('aria-label', words('stop', { path }));
      return element('span', { class: 'actions' }, cut, end);
    },
  };
  return table<RecordingView>({
    caption: words('active'),
    key: ({ id }) => id,
    empty: emptyState(words('activeNone'), words('activeNoneText')),
    columns: [
      {
        title: words('stream'),
        sortBy: ({ path }) => path,
        cell: ({ path }) => element('a', { href: `/console/recordings/${pathPart(path)}` }, path),
      },
      { title: words('as'), cell: ({ container }) => container.toUpperCase() },
      {
        title: words('state'),
        cell: ({ state, reason }) =>
          element(
            'div',
            { class: 'two-lines' },
            badge(words(state), TONES[state]).root,
            ...(reason === null ? [] : [element('span', { class: 'hint', lang: 'en' }, reason)]),
          ),
      },
      {
        title: words('since'),
        sortBy: ({ startedAt }) => startedAt,
        cell: ({ startedAt, startedBy }) =>
          element(
            'div',
            { class: 'two-lines' },
            format.dateTime(startedAt),
            element('span', { class: 'hint' }, words(startedBy === 'api' ? 'byApi' : 'byConfig')),
          ),
      },
      { title: words('files'), numeric: true, cell: ({ files }) => format.number(files) },
      { title: words('written'), numeric: true, cell: ({ bytes }) => format.bytes(bytes) },
      ...(may('sessions') ? [actions] : []),
    ],
  });
}
