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

type NodeState = 'serving' | 'draining' | 'lost';
type WorkerState = 'starting' | 'ready' | 'stopping' | 'gone';

interface ClusterNode {
  readonly id: string;
  readonly name: string;
  readonly role: 'origin' | 'edge';
  readonly state: NodeState;
  /** Whether it does what one node does for all. */
  readonly elected: boolean;
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
  readonly state: WorkerState;
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
const TONES: Readonly<Record<NodeState | WorkerState, Tone>> = {
  serving: 'good',
  ready: 'good',
  draining: 'warning',
  starting: 'warning',
  stopping: 'warning',
  lost: 'bad',
  gone: 'bad',
};
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

function stateBadge({ i18n }: PageContext, state: NodeState | WorkerState): HTMLElement {
  return badge(i18n.words(texts)(state), TONES[state]).root;
}

/** What any process has to do, and takes for it. */
function processColumns<P extends Pick<Worker, 'sessions' | 'cpu' | 'memoryBytes'>>({
  i18n,
}: PageContext): readonly Column<P>[] {
  const words = i18n.words(texts);
  const { format } = i18n;
  return [
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
  ];
}

function workerTable(context: PageContext) {
  const { i18n } = context;
  const words = i18n.words(texts);
  const { format } = i18n;
  const columns: Column<Worker>[] = [
    { title: words('id'), sortBy: ({ id }) => id, cell: ({ id }) => String(id) },
    { title: words('pid'), numeric: true, cell: ({ pid }) => (pid === null ? '–' : String(pid)) },
    { title: words('state'), sortBy: ({ state }) => state, cell: ({ state }) => stateBadge(context, state) },
    ...processColumns<Worker>(context),
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

function nodeTable(context: PageContext, own: () => string | undefined) {
  const { i18n } = context;
  const words = i18n.words(texts);
  const { format } = i18n;
  const columns: Column<ClusterNode>[] = [
    {
      title: words('name'),
      sortBy: ({ name }) => name,
      cell: ({ id, name, elected }) => {
        const isOwn = [id, name].includes(own() ?? '');
        const marks = [...(isOwn ? [words('self')] : []), ...(elected ? [words('elected')] : [])];
        return element('span', {}, name, ...marks.flatMap((mark) => [' ', badge(mark).root]));
      },
    },
    { title: words('role'), sortBy: ({ role }) => role, cell: ({ role }) => words(role) },
    { title: words('state'), sortBy: ({ state }) => state, cell: ({ state }) => stateBadge(context, state) },
    {
      title: words('streams'),
      numeric: true,
      sortBy: ({ streams }) => streams,
      cell: ({ streams }) => format.number(streams),
    },
    ...processColumns<ClusterNode>(context),
    { title: words('since'), sortBy: ({ since }) => since ?? '', cell: ({ since }) => format.dateTime(since) },
  ];
  return table<ClusterNode>({
    caption: words('nodes'),
    columns,
    key: ({ id }) => id,
    empty: emptyState(words('noNodes'), words('noNodesText')),
  });
}
