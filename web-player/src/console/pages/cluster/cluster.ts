import { element } from '../../../dom.js';
import { ApiFailure } from '../../api-client/api-failure.js';
import { badge } from '../../components/badge.js';
import { button } from '../../components/button.js';
import { emptyState } from '../../components/empty-state.js';
import { loaded } from '../../components/loaded.js';
import { type Column, table } from '../../components/table.js';
import type { Tone } from '../../components/tone.js';
import type { Mount, PageContext } from '../../page.js';
import { texts } from './texts.js';

interface ClusterNode {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly state: string;
  readonly streams: number;
  readonly sessions: number;
  /** Cores. */
  readonly cpu: number | null;
  readonly memoryBytes: number | null;
  readonly since: string | null;
}

interface Worker {
  readonly id: string | number;
  readonly pid: number | null;
  readonly state: string;
  readonly sessions: number;
  readonly cpu: number | null;
  readonly memoryBytes: number | null;
  readonly restarts: number;
}

interface Cluster {
  /** The one that answers; by name or id. */
  readonly node?: string | null;
  readonly nodes?: readonly ClusterNode[];
  readonly workers?: readonly Worker[];
}

/** A server without the route works alone. */
const ALONE: Cluster = {};
const GOOD = new Set(['ready', 'running', 'up', 'online', 'ok', 'active', 'live']);
const BAD = new Set(['dead', 'down', 'failed', 'lost', 'gone']);
const AGAIN_MS = 5000;

/** Workers of this machine and nodes of the cluster; where there are none, how to get them. */
export const mount: Mount = (root, context) => {
  const { api, i18n, signal } = context;
  const words = i18n.words(texts);
  context.setTitle(words('title'));
  const workers = workerTable(context);
  let own: string | undefined;
  const nodes = nodeTable(context, () => own);
  const section = (title: string, text: string, list: HTMLElement) =>
    element('section', { class: 'stack' }, element('h2', {}, title), element('p', { class: 'intro' }, text), list);
  const list = loaded<Cluster>(context, {
    ask: async () => {
      try {
        return await api.get<Cluster>('/cluster', { signal });
      } catch (error) {
        if (error instanceof ApiFailure && error.status === 404) return ALONE;
        throw error;
      }
    },
    show: (cluster) => {
      own = cluster.node ?? undefined;
      workers.show(cluster.workers ?? []);
      nodes.show(cluster.nodes ?? []);
    },
    content: [
      section(words('workers'), words('workersText'), workers.root),
      section(words('nodes'), words('nodesText'), nodes.root),
    ],
  });
  const reload = button({ label: words('reload'), onPress: () => list.reload() });
  root.append(
    element('div', { class: 'toolbar' }, element('p', { class: 'intro' }, words('intro')), reload),
    list.root,
  );
  // Figures of other processes come by no feed.
  const timer = setInterval(() => {
    if (document.visibilityState === 'visible') void list.reload();
  }, AGAIN_MS);
  return () => clearInterval(timer);
};

function stateBadge(state: string): HTMLElement {
  const tone: Tone = GOOD.has(state) ? 'good' : BAD.has(state) ? 'bad' : 'warning';
  return badge(state, tone).root;
}

function workerTable({ i18n }: PageContext) {
  const words = i18n.words(texts);
  const { format } = i18n;
  const columns: Column<Worker>[] = [
    { title: words('id'), sortBy: ({ id }) => id, cell: ({ id }) => String(id) },
    { title: words('pid'), numeric: true, cell: ({ pid }) => (pid === null ? '–' : String(pid)) },
    { title: words('state'), sortBy: ({ state }) => state, cell: ({ state }) => stateBadge(state) },
    {
      title: words('sessions'),
      numeric: true,
      sortBy: ({ sessions }) => sessions,
      cell: ({ sessions }) => format.number(sessions),
    },
    { title: words('cpu'), numeric: true, sortBy: ({ cpu }) => cpu ?? 0, cell: ({ cpu }) => format.percent(cpu) },
    {
      title: words('memory'),
      numeric: true,
      sortBy: ({ memoryBytes }) => memoryBytes ?? 0,
      cell: ({ memoryBytes }) => format.bytes(memoryBytes),
    },
    {
      title: words('restarts'),
      numeric: true,
      sortBy: ({ restarts }) => restarts,
      cell: ({ restarts }) => format.number(restarts),
    },
  ];
  return table<Worker>({
    caption: words('workers'),
    columns,
    key: ({ id }) => String(id),
    empty: emptyState(words('noWorkers'), words('noWorkersText')),
  });
}

function nodeTable({ i18n }: PageContext, own: () => string | undefined) {
  const words = i18n.words(texts);
  const { format } = i18n;
  const columns: Column<ClusterNode>[] = [
    {
      title: words('name'),
      sortBy: ({ name }) => name,
      cell: ({ id, name }) => {
        const isOwn = [id, name].includes(own() ?? '');
        return element('span', {}, name, ...(isOwn ? [' ', badge(words('self')).root] : []));
      },
    },
    { title: words('role'), sortBy: ({ role }) => role, cell: ({ role }) => role },
    { title: words('state'), sortBy: ({ state }) => state, cell: ({ state }) => stateBadge(state) },
    {
      title: words('streams'),
      numeric: true,
      sortBy: ({ streams }) => streams,
      cell: ({ streams }) => format.number(streams),
    },
    {
      title: words('sessions'),
      numeric: true,
      sortBy: ({ sessions }) => sessions,
      cell: ({ sessions }) => format.number(sessions),
    },
    { title: words('cpu'), numeric: true, sortBy: ({ cpu }) => cpu ?? 0, cell: ({ cpu }) => format.percent(cpu) },
    {
      title: words('memory'),
      numeric: true,
      sortBy: ({ memoryBytes }) => memoryBytes ?? 0,
      cell: ({ memoryBytes }) => format.bytes(memoryBytes),
    },
    { title: words('since'), sortBy: ({ since }) => since ?? '', cell: ({ since }) => format.dateTime(since) },
  ];
  return table<ClusterNode>({
    caption: words('nodes'),
    columns,
    key: ({ id }) => id,
    empty: emptyState(words('noNodes'), words('noNodesText')),
  });
}
