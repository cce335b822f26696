import { badge } from '../../components/badge.js';
import { button } from '../../components/button.js';
import { askDialog } from '../../components/dialog.js';
import { emptyState } from '../../components/empty-state.js';
import { table } from '../../components/table.js';
import type { SessionView } from '../../feed/views.js';
import type { Mount } from '../../page.js';

const texts = {
  en: {
    caption: 'Sessions that are open',
    nothing: 'No session is open',
    nothingText: 'Publishers and viewers appear here as they come.',
    action: 'Does',
    publish: 'publishes',
    play: 'watches',
    path: 'Stream',
    protocol: 'Protocol',
    ip: 'Address',
    since: 'Since',
    actions: 'Actions',
    kick: 'End',
    kickTitle: 'End this session?',
    kickText: '{ip} is cut off {path}, and may come back.',
    kicked: 'The session has been ended.',
  },
  de: {
    caption: 'Offene Sitzungen',
    nothing: 'Keine Sitzung ist offen',
    nothingText: 'Sender und Zuschauer erscheinen hier, sobald sie kommen.',
    action: 'Was',
    publish: 'sendet',
    play: 'schaut zu',
    path: 'Stream',
    protocol: 'Protokoll',
    ip: 'Adresse',
    since: 'Seit',
    actions: 'Aktionen',
    kick: 'Beenden',
    kickTitle: 'Diese Sitzung beenden?',
    kickText: '{ip} wird von {path} getrennt und darf wiederkommen.',
    kicked: 'Die Sitzung ist beendet.',
  },
} as const;

/** Who publishes and who watches. */
export const mount: Mount = (root, context) => {
  const { api, i18n, signal, may, toast, fail } = context;
  const words = i18n.words(texts);
  const kick = async ({ id, ip, path }: SessionView) => {
    const done = await askDialog({
      i18n,
      title: words('kickTitle'),
      body: [words('kickText', { ip, path })],
      action: words('kick'),
      danger: true,
      act: () => api.delete(`/sessions/${id}`),
    });
    if (done) toast(words('kicked'), 'good');
    await load();
  };
  const list = table<SessionView>({
    caption: words('caption'),
    key: ({ id }) => id,
    empty: emptyState(words('nothing'), words('nothingText')),
    columns: [
      {
        title: words('action'),
        cell: ({ action }) => badge(words(action), action === 'publish' ? 'live' : 'neutral').root,
        sortBy: ({ action }) => action,
      },
      { title: words('path'), cell: ({ path }) => path, sortBy: ({ path }) => path },
      { title: words('protocol'), cell: ({ protocol }) => protocol, sortBy: ({ protocol }) => protocol },
      { title: words('ip'), cell: ({ ip }) => ip, sortBy: ({ ip }) => ip },
      {
        title: words('since'),
        cell: ({ openedAt }) => i18n.format.dateTime(openedAt),
        sortBy: ({ openedAt }) => openedAt,
      },
      {
        title: words('actions'),
        actions: true,
        cell: (row) =>
          button({ label: words('kick'), disabled: !may('sessions'), kind: 'quiet', onPress: () => kick(row) }),
      },
    ],
  });
  const load = async () => {
    try {
      const { sessions } = await api.get<{ sessions: SessionView[] }>('/sessions', { signal });
      list.show(sessions);
    } catch (error) {
      fail(error);
    }
  };
  root.append(list.root);
  void load();
  return () => undefined;
};
